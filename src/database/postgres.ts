import { readFileSync } from "node:fs";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { ConfigurationError, type Log, parseDuration } from "../core/index.ts";
import { asUnavailable } from "../observability/index.ts";
import type { Driver } from "./database.ts";
import type { Orm } from "./orm.ts";

export interface PostgresOptions {
  /** Such as `postgres://user:password@db.example.com/app?sslmode=verify-full`. */
  readonly url: string;
  /** Demands verified TLS for every server that is not on this machine. Default true. */
  readonly production?: boolean | undefined;
  /** Connections of the pool. Default 10. */
  readonly maxConnections?: number | undefined;
  /** Longest statement, of all but migrations. Default 10s. */
  readonly statementTimeout?: string | undefined;
  /** Longest wait for a connection, new or from the pool. Default 5s. */
  readonly connectionTimeout?: string | undefined;
  readonly log?: Log | undefined;
}

/**
 * postgresDriver opens a pool of connections. A statement that takes too long, a pool that has none left and a server that is
 * gone reject with an UnavailableError; the pool connects again by itself.
 * Throws a ConfigurationError only if the URL is none, or asks for less than verified TLS where that is demanded.
 */
export function postgresDriver(options: PostgresOptions): Driver {
  const { connectionString, ssl } = connectionOf(options);
  return {
    name: "PostgreSQL",
    exclusive: false,
    async open() {
      const statementMs = parseDuration(options.statementTimeout ?? "10s", "statementTimeout");
      const connectionMs = parseDuration(options.connectionTimeout ?? "5s", "connectionTimeout");
      const server = {
        connectionString,
        ssl,
        connectionTimeoutMillis: connectionMs,
        application_name: "bulwark",
        keepAlive: true,
      };
      const pool = new pg.Pool({
        ...server,
        max: options.maxConnections ?? 10,
        statement_timeout: statementMs,
        // The server ends a statement in time; this is for a server that does not answer at all.
        query_timeout: statementMs + 2_000,
        idle_in_transaction_session_timeout: 30_000,
      });
      // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
      pool.on("error", ({ message }) =>
        options.log?.warn({ reason: message }, "an idle connection was lost"),
      );
      // One that breaks while a transaction holds it fails that transaction's statements; nobody else listens to it then.
      pool.on("connect", (client) => client.on("error", () => {}));
      return {
        orm: drizzle({ client: pool }) as unknown as Orm,
        transaction: (work) => transactionOn(pool, work),
        migration: (work) => unhurried(server, work),
        close: () => pool.end(),
      };
    },
  };
}

/**
 * transactionOn gives a connection back even where the transaction could not begin, and lets the pool drop it where it
 * may be broken: a statement without an answer would stand before all later ones.
 */
async function transactionOn<R>(pool: pg.Pool, work: (tx: Orm) => Promise<R>): Promise<R> {
  const client = await pool.connect();
  let isBroken = false;
  try {
    return await drizzle({ client }).transaction((tx) => work(tx as unknown as Orm));
  } catch (error) {
    isBroken = asUnavailable(error) !== undefined;
    throw error;
  } finally {
    client.release(isBroken);
  }
}

/** unhurried runs on a connection of its own, which no time limit ends. */
async function unhurried<R>(server: pg.ClientConfig, work: (tx: Orm) => Promise<R>): Promise<R> {
  const client = new pg.Client(server);
  client.on("error", () => {});
  await client.connect();
  try {
    return await drizzle({ client }).transaction((tx) => work(tx as unknown as Orm));
  } finally {
    await client.end();
  }
}

const VERIFIED: ReadonlySet<string> = new Set(["verify-full", "require"]);

/** TLS is decided here alone: the URL's own parameters would be read otherwise from one version of the client to the next. */
function connectionOf(options: PostgresOptions): {
  connectionString: string;
  ssl: false | { rejectUnauthorized: true; ca?: string };
} {
  const url = parseUrl(options.url);
  const mode = url.searchParams.get("sslmode");
  const rootCertificate = url.searchParams.get("sslrootcert");
  for (const name of ["sslmode", "sslrootcert", "ssl", "uselibpqcompat"]) {
    url.searchParams.delete(name);
  }
  const local = isLocal(url);
  const production = options.production ?? true;
  if (production && !local && mode !== null && !VERIFIED.has(mode)) {
    throw new ConfigurationError([
      `DATABASE_URL: expected sslmode=verify-full for a server elsewhere, came sslmode=${mode}`,
    ]);
  }
  const encrypted = mode === null || mode === "prefer" ? !local && production : mode !== "disable";
  const ca = rootCertificate === null ? {} : { ca: readFileSync(rootCertificate, "utf8") };
  return {
    connectionString: url.href,
    ssl: encrypted ? { rejectUnauthorized: true, ...ca } : false,
  };
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === "postgres:" || url.protocol === "postgresql:") return url;
  } catch {
    // Said below; the text may hold a password and is not shown.
  }
  throw new ConfigurationError([
    "DATABASE_URL: expected postgres://user:password@host/database, came another text",
  ]);
}

function isLocal(url: URL): boolean {
  const host = url.searchParams.get("host") ?? url.hostname;
  return (
    host === "" ||
    host.startsWith("/") ||
    host === "localhost" ||
    host === "[::1]" ||
    host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}
