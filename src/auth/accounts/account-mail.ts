import type { MailNotice } from "../../core/index.ts";
import type { Orm } from "../../database/index.ts";

/** AccountMailer queues a mail in the caller's transaction, so that it is sent only if the change that it tells of was made. */
export interface AccountMailer {
  send(mail: MailNotice, tx: Orm): Promise<void>;
}

/** An application that sends no mail: nobody is told, and no flow that needs a mailbox can end. */
export const noMail: AccountMailer = { send: async () => {} };
