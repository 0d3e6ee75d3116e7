import { ConfigurationError, parseDuration } from "../core/index.ts";
import { isMailAddress } from "./mail-address.ts";

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

/** Where and how to connect; times are milliseconds. */
interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly tls: { readonly rejectUnauthorized: boolean; readonly minVersion: "TLSv1.2" };
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly connectionTimeout: number;
  readonly greetingTimeout: number;
  readonly socketTimeout: number;
  readonly dnsTimeout: number;
}

export interface SmtpSettings {
  readonly from: { readonly name: string; readonly address: string };
  readonly server: SmtpServer;
}

/**
 * smtpSettings reads the options of an SMTP mailer, without connecting or loading anything, so that a start can refuse them.
 * Throws a ConfigurationError only if `url`, `from` or `timeout` is malformed; what the URL holds is never shown.
 */
export const smtpSettings = (options: SmtpMailerOptions): SmtpSettings => ({
  from: senderOf(options.from),
  server: serverOf(options),
});

const SENDER = /^(?:([^<>"\r\n\p{Cc}]{1,64}?) )?<([^<>\s]+)>$/u;

/** The URL's own parameters are refused: they could turn the check of certificates off. */
function serverOf({ url, production = true, timeout = "10s" }: SmtpMailerOptions): SmtpServer {
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
