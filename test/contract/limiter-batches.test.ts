import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import type { LimitAlgorithm, LimitRequest, Verdict } from "../../src/core/index.ts";
import { RateLimiter } from "../../src/rate-limit/index.ts";
import { RedisRateLimiter } from "../../src/rate-limit/redis/index.ts";
import { startRedis } from "../support/services.ts";

// Whatever is asked in one turn of the event loop is decided as if it had been asked one after the other: one script call in Redis
// against the limiter in memory, which decides one at a time.

const redisUrl = await startRedis();
const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

const ALGORITHMS: readonly LimitAlgorithm[] = [
  "token-bucket",
  "gcra",
  "sliding-window-counter",
  "sliding-window-log",
];

/** A small generator of repeatable whole numbers below `end` (mulberry32). */
function random(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % end;
  };
}

/** Decisions of one to three requests, of limits and keys that meet again and again, of costs from nothing to too much. */
function decisionsOf(seed: number, count: number): readonly (readonly LimitRequest[])[] {
  const next = random(seed);
  const policies = ALGORITHMS.flatMap((algorithm) =>
    [3, 7, 40].map((requests) => ({
      name: `${seed} ${algorithm} ${requests}`,
      requests,
      windowMs: 864_000_000,
      algorithm,
    })),
  );
  const keys = Array.from({ length: 3 }, () => randomUUID());
  // Some in a row ask alike, as those of one route do.
  const shapes = Array.from({ length: 6 }, () =>
    Array.from({ length: 1 + (next(3) === 0 ? 1 + next(2) : 0) }, () => ({
      policy: policies[next(policies.length)] ?? policies[0],
      cost: next(4) === 0 ? next(5) : 1,
    })),
  );
  return Array.from({ length: count }, () => {
    const shape = shapes[next(shapes.length)] ?? [];
    return shape.map(({ policy, cost }) => ({
      policy: policy as LimitRequest["policy"],
      cost,
      key: keys[next(keys.length)] ?? "",
    }));
  });
}

/** What remains of a key that is named twice in one decision is what it says last. */
const told = ({ allowed, violated, states }: Verdict): unknown => ({
  allowed,
  violated,
  remaining: Object.fromEntries(
    states.map(({ policy, key, remaining }) => [`${policy.name} ${key}`, remaining]),
  ),
});

if (redisUrl === undefined) test.skip("batches: redis-server is not installed", () => {});

describe.skipIf(redisUrl === undefined)("decisions of one turn, in Redis and in memory", () => {
  const redis = new Redis(redisUrl ?? "", { lazyConnect: redisUrl === undefined });
  afterAll(() => redis.disconnect());

  test.each(SEEDS)("seed %d", async (seed) => {
    const now = Date.now();
    const inRedis = new RedisRateLimiter({
      redis,
      prefix: `${randomUUID()}:`,
      budgetMs: 10_000,
      // Nothing is refused from memory here.
      clock: { now: () => now },
    });
    const inMemory = new RateLimiter({ clock: { now: () => now } });
    const decisions = decisionsOf(seed, 250);
    const answers = await Promise.all(decisions.map(async (each) => inRedis.decide(each)));
    const expected = decisions.map((each) => inMemory.decide(each));
    expect(answers.map(told)).toEqual(expected.map(told));
    expect(expected.some(({ allowed }) => allowed)).toBe(true);
    expect(expected.some(({ allowed }) => !allowed)).toBe(true);
    for (const [index, { retryAfterMs, states }] of answers.entries()) {
      // Windows of a counter begin elsewhere in Redis.
      if (states.some(({ policy }) => policy.algorithm === "sliding-window-counter")) continue;
      const other = expected[index];
      // What time passed in Redis meanwhile.
      expect(Math.abs(retryAfterMs - (other?.retryAfterMs ?? 0))).toBeLessThan(10_000);
      const last = states.at(-1);
      expect(Math.abs((last?.resetMs ?? 0) - (other?.states.at(-1)?.resetMs ?? 0))).toBeLessThan(
        10_000,
      );
    }
    expect(inRedis.failed).toBe(0);
  });
});
