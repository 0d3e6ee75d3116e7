export { DevelopmentMailbox, type KeptMail } from "./development-mailbox.ts";
export { checkMail, isMailAddress } from "./mail-address.ts";
export {
  MailOutbox,
  type MailOutboxOptions,
  type OutboxMail,
  type SendOutcome,
} from "./mail-outbox.ts";
export { type SmtpMailerOptions, type SmtpSettings, smtpSettings } from "./smtp-settings.ts";
export { composeMail, type MailSite } from "./templates.ts";
