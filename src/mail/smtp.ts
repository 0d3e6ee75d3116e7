import nodemailer from "nodemailer";
import {
  ConfigurationError,
  ExternalServiceError,
  type Mailer,
  parseDuration,
} from "../core/index.ts";
import { checkMail, isMailAddress } from "./mail-address.ts";

export interface SmtpMailerOptions {
  /** Such as `smtps://user:password@smtp.example.com` (port 465), or `smtp://...` (port 587, STARTTLS). */
  readonly url: string;
  /** The sender: an address, or `Name <address>`. */
  readonly from: string;
  /** Demands verified TLS for every server that is not on this machine. Default true. */
  readonly production?: boolean | undefined;
  /** Longest wait for a connection, for a greeting, and for each word of the server. Default 10s. */
  readonly timeout?: string | undefined;
}

/** SmtpMailer sends by SMTP. */
export interface SmtpMailer extends Mailer {
  /** close ends its connections; a mail that is being sent is let finish. */
  close(): void;
}

const SENDER = /^(?:([^<>"\r\n\p{Cc}]{1,64}?) )?<([^<>\s]+)>$/u;

/**
 * smtpMailer sends over up to five connections that are kept open. Its `send` rejects with an ExternalServiceError whose
 * message has the server's code, never its text; a mail that could carry a header of its own is a TypeError (checkMail).
 * Throws a ConfigurationError only if `url`, `from` or `timeout` is malformed; what the URL holds is never shown.
 */
export function smtpMailer(options: SmtpMailerOptions): SmtpMailer {
  const from = senderOf(options.from);
  const transport = nodemailer.createTransport({
    ...smtpServer(options),
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

/** smtpServer reads where and how to connect. The URL's own parameters are refused: they could turn the check of certificates off. */
export function smtpServer({ url, production = true, timeout = "10s" }: SmtpMailerOptions) {
  const { protocol, hostname, port, username, password, pathname, search, hash } = parseUrl(url);
  const isImplicit = protocol === "smtps:";
  const isPlainUrl = (pathname === "" || pathname === "/") && search === "" && hash === "";
  if (!(isImplicit || protocol === "smtp:") || hostname === "" || !isPlainUrl) {
    throw new ConfigurationError([`${EXPECTED_URL}, came another text`]);
  }
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const isLocal = isLoopback(host);
  const milliseconds = timeoutOf(timeout);
  return {
    host,
    port: port === "" ? (isImplicit ? 465 : 587) : Number(port),
    secure: isImplicit,
    requireTLS: production && !isLocal,
    // A certificate is checked wherever there is one, but for a server on this machine, which has none that names it.
    tls: { rejectUnauthorized: !isLocal, minVersion: "TLSv1.2" as const },
    ...(username === ""
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: milliseconds,
    greetingTimeout: milliseconds,
    socketTimeout: milliseconds,
    dnsTimeout: milliseconds,
  };
}

const EXPECTED_URL = "SMTP_URL: expected smtps://user:password@host or smtp://user:password@host";

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    decodeURIComponent(`${url.username}${url.password}`);
    return url;
  } catch {
    throw new ConfigurationError([`${EXPECTED_URL}, came a text that is no URL`]);
  }
}

function timeoutOf(timeout: string): number {
  try {
    return parseDuration(timeout, "timeout");
  } catch (error) {
    throw new ConfigurationError([(error as Error).message]);
  }
}

function senderOf(text: string): { readonly name: string; readonly address: string } {
  const [, name = "", address = text] = SENDER.exec(text) ?? [];
  if (isMailAddress(address)) return { name, address };
  const came = JSON.stringify(text);
  throw new ConfigurationError([`from: expected an address or "Name <address>", came ${came}`]);
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);

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
