import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import * as services from "../../scripts/services.js";

export type { Service } from "../../scripts/services.js";

/** The servers of a whole test run; undefined where their binaries are missing. */
export interface ServiceUrls {
  readonly redis: string | undefined;
  readonly postgres: string | undefined;
}

declare module "vitest" {
  interface ProvidedContext {
    services: ServiceUrls;
  }
}

type Kind = keyof ServiceUrls;

const BINARIES: Readonly<Record<Kind, readonly string[]>> = {
  redis: ["redis-server"],
  postgres: ["postgres", "initdb"],
};

/**
 * startServices starts both servers for a whole run, for a global setup to provide as `services`. They end with `stop`, and
 * with the process that started them, however that one ends.
 */
export async function startServices(): Promise<{
  readonly urls: ServiceUrls;
  readonly stop: () => Promise<void>;
}> {
  const [redis, postgres] = await Promise.all([
    launch("redis", services.startRedis),
    launch("postgres", services.startPostgres),
  ]);
  return {
    urls: { redis: redis?.url, postgres: postgres?.url },
    stop: async () => {
      await Promise.all([redis?.stop(), postgres?.stop()]);
    },
  };
}

const RUN = Symbol.for("bulwark.test.services");
const worker = globalThis as { [RUN]?: Partial<Record<Kind, Promise<string | undefined>>> };
worker[RUN] ??= {};
const memo = worker[RUN];

/** startRedis returns the URL of the run's Redis, or of this worker's own; undefined, said once, where there is no redis-server. */
export function startRedis(): Promise<string | undefined> {
  memo.redis ??= urlOf("redis", services.startRedis);
  return memo.redis;
}

/** startPostgres returns the URL of a database that is this worker's alone; undefined, said once, where there is no PostgreSQL. */
export function startPostgres(): Promise<string | undefined> {
  memo.postgres ??= urlOf("postgres", services.startPostgres).then((url) =>
    url === undefined ? undefined : createDatabase(url),
  );
  return memo.postgres;
}

/** freshDatabase returns the URL of a new, empty database on that PostgreSQL; undefined where there is none. */
export async function freshDatabase(): Promise<string | undefined> {
  const url = await startPostgres();
  return url === undefined ? undefined : createDatabase(url);
}

/** ownRedis starts a Redis for one test that kills, pauses or reconfigures it; the test stops it. */
export const ownRedis = (
  options: services.ServiceOptions = {},
): Promise<services.Service | undefined> => launch("redis", services.startRedis, options);

async function urlOf(kind: Kind, start: Start): Promise<string | undefined> {
  const run: ServiceUrls | undefined = inject("services");
  if (run !== undefined) {
    const url = run[kind];
    if (url === undefined) sayMissing(kind);
    return url;
  }
  return (await launch(kind, start, { unref: true }))?.url;
}

type Start = (options?: services.ServiceOptions) => Promise<services.Service>;

async function launch(
  kind: Kind,
  start: Start,
  options: services.ServiceOptions = {},
): Promise<services.Service | undefined> {
  const missing = BINARIES[kind].filter((name) => services.findBinary(name) === undefined);
  if (missing.length === 0) return start(options);
  if (process.env["BULWARK_REQUIRE_SERVICES"] === "1") {
    throw new Error(`BULWARK_REQUIRE_SERVICES: expected ${missing.join(" and ")}, came nothing`);
  }
  sayMissing(kind);
  return undefined;
}

const said = new Set<Kind>();

function sayMissing(kind: Kind): void {
  if (said.has(kind)) return;
  said.add(kind);
  console.warn(
    `SKIPPED: the tests that need ${kind}, since ${BINARIES[kind].join(" or ")} is not installed`,
  );
}

async function createDatabase(url: string): Promise<string> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // From template0, since template1 cannot be copied while another worker is connected to it.
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  } finally {
    await client.end();
  }
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}
