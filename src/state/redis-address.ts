import { ConfigurationError } from "../core/index.ts";

/** Where a Redis is and how it is spoken to, in the client's words. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Some nodes of a cluster, by which it is found; only where it is one. The first is `host` and `port`. */
  readonly nodes?: readonly { readonly host: string; readonly port: number }[];
  readonly tls?: { readonly rejectUnauthorized: true; readonly ca?: string };
}

const CLUSTER = /^(rediss?)\+cluster:\/\//;

/** isClusterUrl is whether a URL names a Redis Cluster: `redis+cluster://` or `rediss+cluster://`. */
export const isClusterUrl = (text: string): boolean => CLUSTER.test(text);

/**
 * redisAddress reads `redis://[user]:password@host:port/db`, or `rediss://` for TLS, which is always verified; and
 * `rediss+cluster://[user]:password@host:port,host:port`, some nodes of a cluster.
 * `production` demands TLS of every server that is not on this machine, and of every cluster, whose nodes name each other.
 * Throws a ConfigurationError only if the URL is none, has parameters, or is not encrypted where that is demanded.
 */
export function redisAddress(text: string, options: AddressOptions): RedisAddress {
  return isClusterUrl(text) ? clusterAddress(text, options) : serverAddress(text, options);
}

interface AddressOptions {
  readonly production: boolean;
  readonly ca?: string | undefined;
}

function clusterAddress(text: string, options: AddressOptions): RedisAddress {
  const [, scheme = "", credentials = "", hosts = ""] =
    /^(rediss?)\+cluster:\/\/([^/?#]*@)?([^/?#@]+)\/?$/.exec(text) ?? [];
  if (hosts === "") {
    throw new ConfigurationError([
      "REDIS_URL: expected rediss+cluster://user:password@host:port,host:port, came another text",
    ]);
  }
  if (options.production && scheme === "redis") {
    throw new ConfigurationError([
      "REDIS_URL: expected rediss+cluster:// (verified TLS), came redis+cluster://",
    ]);
  }
  const all = hosts
    .split(",")
    .map((host) => serverAddress(`${scheme}://${credentials}${host}`, options));
  return { ...(all[0] as RedisAddress), nodes: all.map(({ host, port }) => ({ host, port })) };
}

function serverAddress(text: string, options: AddressOptions): RedisAddress {
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
