import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../support/app.ts";
import { serveInChild, statusOf } from "../support/child-server.ts";
import { startRedis } from "../support/services.ts";

/** Runs of each burst; `npm run test:limits` makes it 20. */
const RUNS = Number(process.env["BULWARK_LIMIT_RUNS"] ?? 2);
const PROCESSES = 3;
const REQUESTS = 1_000;
const LIMIT = 100;

/** A process that serves one route for each way to count, from what is built; whom it counts is said by a header. */
const PROCESS = `
import { Redis } from "ioredis";
import { BaseAPIHandler, bareKernel, createRouter } from "./dist/core/index.js";
import { serve } from "./dist/adapters/node/index.js";
import { withRateLimit } from "./dist/rate-limit/index.js";
import { RedisRateLimiter } from "./dist/rate-limit/redis/index.js";

const redis = new Redis(process.env.LIMITS_REDIS);
// The time here is wrong, and of no account.
const skew = Number(process.env.LIMITS_SKEW);
const clock = { now: () => Date.now() + skew };
const limiter = new RedisRateLimiter({ redis, prefix: process.env.LIMITS_PREFIX, budgetMs: 30_000, clock });
class Handlers extends BaseAPIHandler {
  static kernel = { ...bareKernel, limiter, clock };
}
const routes = ["token-bucket", "gcra", "sliding-window-counter", "sliding-window-log"].map((algorithm) =>
  Handlers.GET(
    withRateLimit({
      requests: ${LIMIT},
      window: "1d",
      algorithm,
      onFailure: "deny",
      keyGenerator: (context) => context.request.headers.get("x-subject") ?? undefined,
    })(() => 1),
    { path: "/" + algorithm, requireAuth: false },
  ),
);
const router = createRouter(Handlers, routes);
const { port } = await serve({ handlers: Handlers, router, host: "127.0.0.1", port: Number(process.env.LIMITS_PORT), maxConnectionsPerAddress: 5000 });
process.stdout.write("http://127.0.0.1:" + port + "\\n");
`;

const redisUrl = await startRedis();
const prefix = `processes:${randomUUID()}:`;
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

async function startProcess(skew: number): Promise<string> {
  const env = {
    LIMITS_REDIS: redisUrl ?? "",
    LIMITS_PREFIX: prefix,
    LIMITS_SKEW: String(skew),
    LIMITS_PORT: String(await freePort()),
  };
  return serveInChild(PROCESS, env, children);
}

if (redisUrl === undefined) test.skip("processes: redis-server is not installed", () => {});

describe.skipIf(redisUrl === undefined)(`${PROCESSES} processes with clocks 10 s apart`, () => {
  let starting: Promise<readonly string[]> | undefined;
  const started = (): Promise<readonly string[]> => {
    starting ??= Promise.all([-10_000, 0, 10_000].map(startProcess));
    return starting;
  };

  const ask = async (algorithm: string, subject: string, i: number): Promise<number> => {
    const all = await started();
    return statusOf(`${all[i % all.length]}/${algorithm}`, { "x-subject": subject });
  };

  test.each(["token-bucket", "gcra", "sliding-window-counter", "sliding-window-log"])(
    `of ${REQUESTS} requests at once exactly ${LIMIT} pass, ${RUNS} times: %s`,
    { timeout: 300_000 },
    async (algorithm) => {
      for (let run = 0; run < RUNS; run += 1) {
        const subject = randomUUID();
        const asked = Array.from({ length: REQUESTS }, (_, i) => ask(algorithm, subject, i));
        const statuses = await Promise.all(asked);
        expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT);
        expect(statuses.filter((status) => status === 429)).toHaveLength(REQUESTS - LIMIT);
      }
    },
  );

  // redis#4548, and a process that dies between two of its steps.
  test("a process that is killed at work leaves no key without an end", async () => {
    const [, , last = ""] = await started();
    const asked = Array.from({ length: 300 }, (_, i) =>
      statusOf(`${last}/sliding-window-log`, { "x-subject": `killed ${i}` }).catch(() => undefined),
    );
    await Promise.race(asked);
    children.at(-1)?.kill("SIGKILL");
    await Promise.all(asked);
    const client = new Redis(redisUrl ?? "");
    try {
      const keys = await client.keys(`${prefix}*`);
      expect(keys.length).toBeGreaterThan(4 * RUNS);
      for (const key of keys) expect(await client.pttl(key), key).toBeGreaterThan(0);
    } finally {
      client.disconnect();
    }
  });
});
