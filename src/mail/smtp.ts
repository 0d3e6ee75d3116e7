import nodemailer from "nodemailer";
import { ExternalServiceError, type Mailer } from "../core/index.ts";
import { checkMail } from "./mail-address.ts";
import { type SmtpMailerOptions, smtpSettings } from "./smtp-settings.ts";

export type { SmtpMailerOptions } from "./smtp-settings.ts";

/** SmtpMailer sends by SMTP. */
export interface SmtpMailer extends Mailer {
  /** close ends its connections; a mail that is being sent is let finish. */
  close(): void;
}

/**
 * smtpMailer sends over up to five connections that are kept open. Its `send` rejects with an ExternalServiceError whose
 * message has the server's code, never its text; a mail that could carry a header of its own is a TypeError (checkMail).
 * Throws a ConfigurationError only if `url`, `from` or `timeout` is malformed; what the URL holds is never shown.
 */
export function smtpMailer(options: SmtpMailerOptions): SmtpMailer {
  const { from, server } = smtpSettings(options);
  const transport = nodemailer.createTransport({
    ...server,
    pool: true,
    maxConnections: 5,
    maxMessages: 100,
    // A mail is the text that is here: never a file of this machine, never what another server has.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      const { to, subject, text, html } = checkMail(mail);
      const message = {
        from,
        to: { name: "", address: to },
        envelope: { from: from.address, to: [to] },
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        // RFC 3834 section 5: no out-of-office answers to these.
        headers: { "Auto-Submitted": "auto-generated" },
      };
      try {
        await transport.sendMail(message);
      } catch (cause) {
        throw new ExternalServiceError(`SMTP (${reasonOf(cause)})`);
      }
    },
    close: () => transport.close(),
  };
}

/** The server's words may repeat what was sent to it; its code and ours say enough. */
function reasonOf(error: unknown): string {
  const { code, responseCode, command } = error as {
    readonly code?: unknown;
    readonly responseCode?: unknown;
    readonly command?: unknown;
  };
  const words = [responseCode, code, command].filter(
    (word) => typeof word === "number" || (typeof word === "string" && /^[\w -]{1,32}$/.test(word)),
  );
  return words.length === 0 ? "no reason given" : words.join(" ");
}
