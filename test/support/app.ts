import { createServer } from "node:net";
import { type SQL, sql } from "drizzle-orm";
import { Redis } from "ioredis";
import type { Bulwark, DatabaseConfig } from "../../src/bulwark/index.ts";
import { generateSecret } from "../../src/crypto/index.ts";
import { createLog } from "../../src/observability/index.ts";
import { startServer } from "../../src/server/index.ts";
import { exchange, type RawAnswer } from "../attack/raw-http.ts";
import { freshDatabase, startRedis } from "./services.ts";

/** What an answer over HTTP said. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; empty where there was none. */
  readonly json: Readonly<Record<string, unknown>>;
}

interface CallOptions {
  readonly token?: string | undefined;
  /** A text goes as it is, everything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A person who can sign in, with a token of a session of theirs. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
}

/** Time that stands still until a test moves it. */
interface TestClock {
  now(): number;
  advance(milliseconds: number): void;
}

/** The reference API on a loopback port, one for all files of a worker. */
export interface TestApp {
  readonly bulwark: Bulwark;
  readonly clock: TestClock;
  readonly port: number;
  /** Every line that was logged since the last reset, as it was written. */
  readonly log: string[];
  /** reset deletes all rows, forgets sessions and lines, and moves the clock by a day, so that every limit is full again. */
  readonly reset: () => Promise<void>;
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** raw sends bytes as they are and returns what came until the server closed the connection. */
  readonly raw: (bytes: string | Uint8Array) => Promise<readonly RawAnswer[]>;
  /** signUp makes an account and a session through the services, so that no limit by address counts it. */
  readonly signUp: (roles?: readonly string[]) => Promise<Account>;
  readonly close: () => Promise<void>;
  readonly adminToken: () => Promise<string>;
  readonly query: (statement: SQL) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Every row of every table, and every key of Redis where there is one, as text. */
  readonly dump: () => Promise<string>;
}

/** The secret of the application under test, so that a test can sign what the application would. */
export const SECRET = generateSecret();
export const PASSWORD = "a rather long password";
const DAY = 86_400_000;

/**
 * The only place that chooses the store under these suites: PGlite, or PostgreSQL with BULWARK_TEST_STORE=postgres. Each application
 * has a database of its own: those of other tests would send its mail, and have its addresses.
 */
export async function testDatabase(): Promise<DatabaseConfig> {
  if (process.env["BULWARK_TEST_STORE"] !== "postgres") return { insecureInMemory: true };
  const url = await freshDatabase();
  if (url === undefined) throw new Error("BULWARK_TEST_STORE: PostgreSQL is not installed");
  return { url };
}

/** The PostgreSQL run has its short-lived state and its limits in Redis, as several processes would: a database for each worker. */
async function testRedis(): Promise<string | undefined> {
  if (process.env["BULWARK_TEST_STORE"] !== "postgres") return undefined;
  const url = await startRedis();
  return url && `${url}/${Number(process.env["VITEST_POOL_ID"] ?? 0) % 16}`;
}

/** What was counted in Redis is on its clock, which no test moves: it is deleted instead. */
async function clearLimits(): Promise<void> {
  const url = await testRedis();
  if (url === undefined) return;
  const redis = new Redis(url);
  try {
    const keys = await redis.keys("bulwark:limit:*");
    if (keys.length > 0) await redis.del(...keys);
  } finally {
    redis.disconnect();
  }
}

const APP = Symbol.for("bulwark.test.app");
const worker = globalThis as { [APP]?: Promise<TestApp> };

/** testApp returns the application of this worker; a store takes seconds and half a gigabyte, so there is one. */
export function testApp(): Promise<TestApp> {
  worker[APP] ??= startApp();
  return worker[APP];
}

/** startApp starts an application of another configuration; the caller closes it. */
export async function startApp(
  config: Partial<Parameters<typeof startServer>[0]> = {},
): Promise<TestApp> {
  const log: string[] = [];
  const clock = settableClock(Date.UTC(2027, 0, 1));
  const port = await freePort();
  const server = await startServer({
    mode: "development",
    issuer: `http://localhost:${port}`,
    host: "127.0.0.1",
    port,
    secret: SECRET,
    database: await testDatabase(),
    redisUrl: await testRedis(),
    clock,
    log: createLog({ destination: { write: (line: string) => void log.push(line) } }),
    // Databases that start in this process hold the event loop, which says nothing of the requests under test.
    loadShedding: "off",
    ...config,
  });
  const { bulwark } = server;
  const query = (statement: SQL): ReturnType<TestApp["query"]> =>
    bulwark.database.run(async (orm) => rowsOf(await orm.execute(statement)));
  const signUp = makeSignUp(bulwark);
  return {
    bulwark,
    clock,
    port,
    log,
    query,
    signUp,
    call: makeCall(`http://127.0.0.1:${port}`),
    raw: (bytes) => exchange(port, bytes),
    close: () => server.close(),
    adminToken: async () => (await signUp(["user", "admin"])).token,
    dump: () => dump(query),
    reset: async () => {
      for (const name of await tablesOf(query)) {
        if (name !== "bulwark.migrations") await query(sql.raw(`DELETE FROM ${name}`));
      }
      bulwark.sessions.forget(() => true);
      bulwark.mailbox?.clear();
      clock.advance(DAY);
      await clearLimits();
      log.length = 0;
    },
  };
}

function settableClock(from: number): TestClock {
  let now = from;
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** freePort is a loopback port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

const makeCall =
  (origin: string): TestApp["call"] =>
  async (method, path, { token, body, headers = {} } = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text === "" ? {} : (JSON.parse(text) as Answer["json"]);
    return { status: response.status, headers: response.headers, text, json };
  };

/** dataOf reads an answer's `data` as what the test knows it to be. */
export const dataOf = <T>(answer: Answer): T => answer.json["data"] as T;

function makeSignUp(bulwark: Bulwark): TestApp["signUp"] {
  let count = 0;
  return async (roles = ["user"]) => {
    count += 1;
    const email = `person${count}@example.com`;
    const input = { email, password: PASSWORD, name: `Person ${count}` };
    const { id } = await bulwark.registration.createUser(input, { roles, verified: true }, {});
    const signedIn = await bulwark.auth.login({ email, password: PASSWORD }, {});
    if (signedIn.mode !== "token") throw new Error("a second factor was asked for");
    return { id, email, password: PASSWORD, token: signedIn.accessToken };
  };
}

const rowsOf = (result: unknown): readonly Readonly<Record<string, unknown>>[] =>
  (result as { rows: Readonly<Record<string, unknown>>[] }).rows;

async function tablesOf(query: TestApp["query"]): Promise<string[]> {
  const rows = await query(sql`
    SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
    WHERE table_schema IN ('bulwark', 'reference') ORDER BY 1`);
  return rows.map((row) => String(row["name"]));
}

async function dump(query: TestApp["query"]): Promise<string> {
  let text = "";
  for (const name of await tablesOf(query)) {
    const rows = await query(sql.raw(`SELECT row_to_json(t)::text AS line FROM ${name} t`));
    text += rows.map((row) => `${name} ${String(row["line"])}\n`).join("");
  }
  return text + (await dumpRedis());
}

/** Every key of Redis with its value, where the application under test has one. */
async function dumpRedis(): Promise<string> {
  const url = await testRedis();
  if (url === undefined) return "";
  const redis = new Redis(url);
  try {
    const keys = await redis.keys("*");
    const lines = keys.map(async (key) => {
      const kind = await redis.type(key);
      return `redis ${key} ${kind === "string" ? await redis.get(key) : kind}\n`;
    });
    return (await Promise.all(lines)).join("");
  } finally {
    redis.disconnect();
  }
}
