import { type Clock, type Mail, type Mailer, uuidv7 } from "../core/index.ts";

/** A mail as the development mailbox keeps it. */
export interface KeptMail extends Mail {
  readonly id: string;
  /** What it is, such as `verify`; undefined where the sender did not say. */
  readonly kind: string | undefined;
  /** When it was sent; milliseconds since the epoch. */
  readonly at: number;
  /** The addresses in its text, in order. */
  readonly links: readonly string[];
}

const CAPACITY = 100;

/**
 * DevelopmentMailbox is a Mailer that sends nothing: it keeps the last 100 mails in memory, links with their tokens among
 * them. For development alone; whoever reads it can take over every account.
 */
export class DevelopmentMailbox implements Mailer {
  readonly #clock: Clock;
  readonly #mails: KeptMail[] = [];

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  send({ to, subject, text, html, kind }: Mail & { readonly kind?: string }): Promise<void> {
    const at = this.#clock.now();
    const links = text.match(/https?:\/\/[^\s<>"]+/g) ?? [];
    this.#mails.unshift({ id: uuidv7(at), kind, at, to, subject, text, html, links });
    this.#mails.length = Math.min(this.#mails.length, CAPACITY);
    return Promise.resolve();
  }

  /** list returns the mails, the newest first. */
  list(): readonly KeptMail[] {
    return [...this.#mails];
  }

  /** clear forgets them all. */
  clear(): void {
    this.#mails.length = 0;
  }
}
