import type { AccountMailer } from "../auth/index.ts";
import { type AuditSink, type Clock, type Log, type Mailer, parseDuration } from "../core/index.ts";
import type { Sealer } from "../crypto/index.ts";
import type { Database } from "../database/index.ts";
import { composeMail, DevelopmentMailbox, MailOutbox } from "../mail/index.ts";
import type { Metrics } from "../observability/index.ts";
import { type ResolvedConfig, type SmtpConfig, senderOf } from "./config.ts";
import { peer } from "./wire-database.ts";

export interface MailParts {
  readonly config: ResolvedConfig;
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly metrics: Metrics;
}

export interface WiredMail {
  readonly mailer: AccountMailer;
  readonly mailbox: DevelopmentMailbox | undefined;
  readonly outbox: MailOutbox;
  start(): void;
  stop(): Promise<void>;
}

/** A notice that has no link is worth sending for so long. */
const NOTICE_LIFETIME = parseDuration("24h");

/** wireMail queues mail in the database and sends it: by SMTP, or in development into a mailbox that a person can open. */
export function wireMail(parts: MailParts): WiredMail {
  const { config, database, sealer, clock, log, audit, metrics } = parts;
  const mailbox =
    config.smtp === undefined && config.mode === "development"
      ? new DevelopmentMailbox({ clock })
      : undefined;
  const smtp = config.smtp === undefined ? undefined : lazySmtp(config.smtp, config);
  const help = "Mails, by how the try to send them ended.";
  const outbox = new MailOutbox({
    database,
    sealer,
    mailer: smtp ?? mailbox ?? nowhere,
    clock,
    log,
    audit,
    onOutcome: (outcome) => metrics.counter("bulwark_mails_total", help, { outcome }).add(),
  });
  metrics.gauge("bulwark_queue_depth", "Work waiting or running.", () => outbox.depth(), {
    queue: "mail",
  });
  const site = { issuer: config.issuer, productName: config.auth.productName };
  return {
    mailbox,
    outbox,
    mailer: {
      async send(mail, tx) {
        // Without anywhere to send to, nothing is queued that would only grow old.
        if (smtp === undefined && mailbox === undefined) return;
        const expiresAt = "expiresAt" in mail ? mail.expiresAt : clock.now() + NOTICE_LIFETIME;
        await outbox.enqueue({ ...composeMail(mail, site), kind: mail.kind, expiresAt }, tx);
      },
    },
    start: () => outbox.start(),
    async stop() {
      await outbox.stop();
      await smtp?.close();
    },
  };
}

const nowhere: Mailer = {
  send: () => Promise.reject(new TypeError("no mail server is configured")),
};

/** nodemailer is loaded when the first mail is sent, and only where a server is configured. */
function lazySmtp(smtp: SmtpConfig, config: ResolvedConfig): Mailer & { close(): Promise<void> } {
  const production = config.mode === "production";
  let opening: Promise<Mailer & { close(): void }> | undefined;
  const open = (): Promise<Mailer & { close(): void }> => {
    opening ??= peer(() => import("../mail/smtp.ts"), "nodemailer").then(({ smtpMailer }) =>
      smtpMailer({ url: smtp.url, from: senderOf(smtp, config.issuer), production }),
    );
    return opening;
  };
  return {
    send: async (mail) => (await open()).send(mail),
    async close() {
      const mailer = await opening?.catch(() => undefined);
      mailer?.close();
    },
  };
}
