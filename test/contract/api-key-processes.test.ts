import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { freePort, startApp, type TestApp } from "../support/app.ts";
import { serveInChild, statusOf } from "../support/child-server.ts";
import { freshDatabase, startPostgres, startRedis } from "../support/services.ts";
import { makeKey } from "../system/api-keys/support.ts";

/** Runs of the burst; `npm run test:limits` makes it 20. */
const RUNS = Number(process.env["BULWARK_LIMIT_RUNS"] ?? 2);
const SKEWS = [-10_000, 0, 10_000];
const REQUESTS = 1_000;
const LIMIT = 100;

/** A process that decides on keys as an application does, from what is built, on the one database and the one Redis. */
const PROCESS = `
import { Redis } from "ioredis";
import { APIKeyService } from "./dist/api-keys/index.js";
import { BaseAPIHandler, bareKernel, createRouter } from "./dist/core/index.js";
import { createDatabase } from "./dist/database/index.js";
import { postgresDriver } from "./dist/database/postgres.js";
import { serve } from "./dist/adapters/node/index.js";
import { RedisRateLimiter } from "./dist/rate-limit/redis/index.js";

// The time here is wrong, and of no account.
const skew = Number(process.env.KEYS_SKEW);
const clock = { now: () => Date.now() + skew };
const database = createDatabase(postgresDriver({ url: process.env.KEYS_DATABASE, production: false }));
await database.connect([]);
const keys = new APIKeyService({
  database,
  audit: { record: async () => {} },
  access: { scopes: ["products:read"], permissionsOf: () => new Set(["products:read"]) },
  limiter: new RedisRateLimiter({
    redis: new Redis(process.env.KEYS_REDIS),
    prefix: process.env.KEYS_PREFIX,
    budgetMs: 30_000,
    clock,
  }),
  limit: { requests: 1_000_000, window: "1m" },
  clock,
});
class Handlers extends BaseAPIHandler {
  static kernel = { ...bareKernel, clock };
}
const route = Handlers.GET(
  async ({ request }) => (await keys.validateAPIKey(request.headers.get("x-api-key"))).keyId,
  { path: "/key", requireAuth: false },
);
const { port } = await serve({
  handlers: Handlers,
  router: createRouter(Handlers, [route]),
  host: "127.0.0.1",
  port: Number(process.env.KEYS_PORT),
  maxConnectionsPerAddress: 5000,
});
process.stdout.write("http://127.0.0.1:" + port + "/key\\n");
`;

const redisUrl = await startRedis();
const hasPostgres = (await startPostgres()) !== undefined;
const isAvailable = redisUrl !== undefined && hasPostgres;
const children: ChildProcess[] = [];
let app: TestApp | undefined;
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await app?.close();
});

async function startProcess(skew: number, databaseUrl: string, prefix: string): Promise<string> {
  const env = {
    KEYS_REDIS: redisUrl ?? "",
    KEYS_DATABASE: databaseUrl,
    KEYS_PREFIX: prefix,
    KEYS_SKEW: String(skew),
    KEYS_PORT: String(await freePort()),
  };
  return serveInChild(PROCESS, env, children);
}

if (!isAvailable) test.skip("keys: redis-server or PostgreSQL is not installed", () => {});

describe.skipIf(!isAvailable)("an API key in three processes with clocks 10 s apart", () => {
  test(`of ${REQUESTS} requests at once exactly ${LIMIT} pass, ${RUNS} times`, {
    timeout: 300_000,
  }, async () => {
    const databaseUrl = (await freshDatabase()) ?? "";
    app = await startApp({
      database: { url: databaseUrl },
      clock: { now: () => Date.now() },
      bans: "off",
    });
    const owner = await app.signUp();
    const prefix = `keys:${randomUUID()}:`;
    const urls = await Promise.all(SKEWS.map((skew) => startProcess(skew, databaseUrl, prefix)));
    for (let run = 0; run < RUNS; run += 1) {
      const limits = [{ name: "daily", requests: LIMIT, window: "1d" }];
      const { key } = await makeKey(app, owner, { limits });
      const asked = Array.from({ length: REQUESTS }, (_, i) =>
        statusOf(urls[i % urls.length] ?? "", { "x-api-key": key }),
      );
      const statuses = await Promise.all(asked);
      expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT);
      expect(statuses.filter((status) => status === 429)).toHaveLength(REQUESTS - LIMIT);
    }
  });
});
