import { ConfigurationError } from "../core/index.ts";

/** Where a Redis is and how it is spoken to, in the client's words. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls?: { readonly rejectUnauthorized: true; readonly ca?: string };
}

/**
 * redisAddress reads `redis://[user]:password@host:port/db`, or `rediss://` for TLS, which is always verified.
 * `production` demands TLS of every server that is not on this machine.
 * Throws a ConfigurationError only if the URL is none, has parameters, or is not encrypted where that is demanded.
 */
export function redisAddress(
  text: string,
  options: { readonly production: boolean; readonly ca?: string | undefined },
): RedisAddress {
  const url = parseUrl(text);
  // The client would take a parameter as an option of its own, `tls` and `keyPrefix` among them: all is decided here.
  if (url.search !== "" || url.hash !== "") {
    throw new ConfigurationError(["REDIS_URL: expected no parameters, came a URL with a ? or a #"]);
  }
  const encrypted = url.protocol === "rediss:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (options.production && !encrypted && !isLocal(host)) {
    throw new ConfigurationError([
      "REDIS_URL: expected rediss:// (verified TLS) for a server elsewhere, came redis://",
    ]);
  }
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const ca = options.ca === undefined ? {} : { ca: options.ca };
  return {
    host,
    port: url.port === "" ? 6_379 : Number(url.port),
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    db: Number(url.pathname.slice(1)),
    ...(encrypted ? { tls: { rejectUnauthorized: true, ...ca } } : {}),
  };
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password);
    const isRedis = url.protocol === "redis:" || url.protocol === "rediss:";
    if (isRedis && url.hostname !== "" && /^(\/\d{0,5})?$/.test(url.pathname)) return url;
  } catch {
    // Said below; the text may hold a password and is not shown.
  }
  throw new ConfigurationError([
    "REDIS_URL: expected rediss://user:password@host:port/database, came another text",
  ]);
}

const isLocal = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
