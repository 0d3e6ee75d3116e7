import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import {
  type Awaitable,
  type LimitAlgorithm,
  type Limiter,
  type LimitPolicy,
  type LimitRequest,
  limitPolicy,
} from "../../src/core/index.ts";
import { RateLimiter } from "../../src/rate-limit/index.ts";
import { RedisRateLimiter } from "../../src/rate-limit/redis/index.ts";
import { startRedis } from "../support/services.ts";

/** One limiter, and how time passes in it. */
interface Subject {
  readonly name: string;
  readonly limiter: Limiter & { forget(key: string): Awaitable<void> };
  /** Redis decides on its own clock, so that there the time is waited for. */
  readonly pass: (milliseconds: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

function memory(): Subject {
  let now = Date.UTC(2027, 0, 1);
  return {
    name: "RateLimiter",
    limiter: new RateLimiter({ clock: { now: () => now } }),
    pass: async (milliseconds) => {
      now += milliseconds;
    },
    close: async () => {},
  };
}

function inRedis(url: string): Subject {
  const redis = new Redis(url);
  // A busy machine may be slow: what is late is another suite's matter.
  const limiter = new RedisRateLimiter({ redis, prefix: `${randomUUID()}:`, budgetMs: 10_000 });
  return {
    name: "RedisRateLimiter",
    limiter,
    pass: (milliseconds) => sleep(milliseconds + 5),
    close: async () => redis.disconnect(),
  };
}

const redisUrl = await startRedis();
const subjects = [memory(), ...(redisUrl === undefined ? [] : [inRedis(redisUrl)])];
if (redisUrl === undefined) test.skip("RedisRateLimiter: redis-server is not installed", () => {});

const ALGORITHMS: readonly LimitAlgorithm[] = [
  "token-bucket",
  "gcra",
  "sliding-window-counter",
  "sliding-window-log",
];

const table = subjects.flatMap((subject) =>
  ALGORITHMS.map((algorithm) => ({ ...subject, algorithm })),
);

afterAll(async () => {
  await Promise.all(subjects.map((subject) => subject.close()));
});

describe.each(table)("$name, $algorithm", ({ limiter, algorithm, pass }) => {
  const of = (name: string, requests: number, window = "1d"): LimitPolicy =>
    limitPolicy(`${name} ${algorithm}`, { requests, window, algorithm });
  const ten = of("ten", 10);

  /** How many of `count` decisions at once pass. */
  const burst = async (request: LimitRequest, count: number): Promise<number> => {
    const all = Array.from({ length: count }, async () => limiter.decide([request]));
    return (await Promise.all(all)).filter(({ allowed }) => allowed).length;
  };

  test("of 200 at once the limit passes, exactly", async () => {
    expect(await burst({ policy: of("hundred", 100), key: randomUUID() }, 200)).toBe(100);
    expect(await burst({ policy: of("all but one", 199), key: randomUUID() }, 200)).toBe(199);
    expect(await burst({ policy: of("one", 1), key: randomUUID() }, 200)).toBe(1);
  });

  test("keys, and limits on one key, are apart", async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    expect(await burst({ policy: ten, key: a }, 20)).toBe(10);
    expect(await burst({ policy: ten, key: b }, 20)).toBe(10);
    expect(await burst({ policy: of("three", 3), key: a }, 20)).toBe(3);
  });

  // Today's limiters charge what they refuse, so that one heavy request shuts its sender out.
  test("a request that is refused is not charged, heavy or not", async () => {
    const key = randomUUID();
    for (let i = 0; i < 50; i += 1) {
      const heavy = await limiter.decide([{ policy: ten, key, cost: 11 }]);
      expect(heavy).toMatchObject({ allowed: false, violated: [ten.name] });
      expect(heavy.retryAfterMs).toBeGreaterThan(0);
    }
    expect((await limiter.decide([{ policy: ten, key, cost: 7 }])).allowed).toBe(true);
    expect((await limiter.decide([{ policy: ten, key, cost: 4 }])).allowed).toBe(false);
    expect((await limiter.decide([{ policy: ten, key, cost: 4 }])).allowed).toBe(false);
    expect((await limiter.decide([{ policy: ten, key, cost: 3 }])).allowed).toBe(true);
    expect((await limiter.decide([{ policy: ten, key, cost: 1 }])).allowed).toBe(false);
    expect((await limiter.decide([{ policy: ten, key, cost: 0 }])).allowed).toBe(true);
  });

  test("it tells what remains, and when all is back", async () => {
    const key = randomUUID();
    const wide = of("wide", 4);
    const first = await limiter.decide([{ policy: wide, key }]);
    expect(first).toMatchObject({ allowed: true, retryAfterMs: 0, violated: [] });
    expect(first.states).toHaveLength(1);
    expect(first.states[0]).toMatchObject({ policy: wide, remaining: 3 });
    expect(first.states[0]?.resetMs).toBeGreaterThan(6 * 3_600_000 - 5_000);
    expect(first.states[0]?.resetMs).toBeLessThanOrEqual(2 * 86_400_000);
    expect((await limiter.decide([{ policy: wide, key, cost: 3 }])).states[0]?.remaining).toBe(0);
    const refused = await limiter.decide([{ policy: wide, key }]);
    expect(refused.states[0]?.remaining).toBe(0);
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(2 * 86_400_000);
  });

  test("limits decided together are all charged, or none", async () => {
    const key = randomUUID();
    const both = [
      { policy: ten, key },
      { policy: of("two", 2), key },
    ];
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, async () => limiter.decide(both)),
    );
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(2);
    for (const { allowed, violated } of verdicts) {
      expect(violated).toEqual(allowed ? [] : [`two ${algorithm}`]);
    }
    expect(await burst({ policy: ten, key }, 20)).toBe(8);
  });

  test("the limits of one decision may count different keys", async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const decide = async (): Promise<unknown> =>
      limiter.decide([
        { policy: ten, key: one },
        { policy: of("two", 2), key: other },
      ]);
    await Promise.all(Array.from({ length: 20 }, decide));
    expect(await burst({ policy: ten, key: one }, 20)).toBe(8);
  });

  test("a key that one decision names twice is charged twice", async () => {
    const key = randomUUID();
    const two = of("two", 2);
    const twice = [
      { policy: two, key },
      { policy: two, key },
    ];
    expect((await limiter.decide([...twice, ...twice])).allowed).toBe(false);
    expect((await limiter.decide(twice)).allowed).toBe(true);
    expect((await limiter.decide([{ policy: two, key }])).allowed).toBe(false);
  });

  test.each(["__proto__", "", "a\nb", "{}", "{a}b", "}{", "#", "\u{1f600}\0"])(
    "%j is a key like another",
    async (text) => {
      const policy = of(`strange ${randomUUID()}`, 10);
      const keys = [text, `${text}x`, `y${text}`, `${text} `];
      expect(await Promise.all(keys.map((key) => burst({ policy, key }, 20)))).toEqual([
        10, 10, 10, 10,
      ]);
    },
  );

  test("long keys are told apart by all of their text", async () => {
    const long = "x".repeat(5_000);
    expect(await burst({ policy: ten, key: `${long}a` }, 20)).toBe(10);
    expect(await burst({ policy: ten, key: `${long}b` }, 20)).toBe(10);
  });

  test("forget lifts one key, under every limit", async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    const three = of("three", 3);
    await burst({ policy: ten, key }, 20);
    await burst({ policy: three, key }, 20);
    await burst({ policy: ten, key: other }, 20);
    await limiter.forget(key);
    expect(await burst({ policy: ten, key }, 20)).toBe(10);
    expect(await burst({ policy: three, key }, 20)).toBe(3);
    expect(await burst({ policy: ten, key: other }, 20)).toBe(0);
  });

  test("what was refused passes after the time that was told, and not before", async () => {
    const policy = of("quick", 4, "400ms");
    const key = randomUUID();
    expect(await burst({ policy, key }, 20)).toBe(4);
    // The window before weighs on a counter: it may say how long, and what came before may be over by then.
    const { retryAfterMs } = await limiter.decide([{ policy, key }]);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(800);
    await pass(retryAfterMs);
    expect((await limiter.decide([{ policy, key }])).allowed).toBe(true);
    await pass(1_000);
    expect(await burst({ policy, key }, 20)).toBe(4);
  });

  // Fixed windows let 199 of 100 through across their boundary.
  test("no boundary lets a second limit through", async () => {
    const policy = of("boundary", 100, "300ms");
    const key = randomUUID();
    const passed: { readonly at: number; readonly count: number }[] = [];
    let at = 0;
    for (let step = 0; step < 24; step += 1) {
      const begun = performance.now();
      passed.push({ at, count: await burst({ policy, key }, 150) });
      await pass(25);
      // In memory nothing but the steps takes time.
      at += limiter instanceof RateLimiter ? 25 : performance.now() - begun;
    }
    for (const [index, { at: from }] of passed.entries()) {
      let sum = 0;
      for (const { at: until, count } of passed.slice(index)) {
        if (until - from > 250) break;
        sum += count;
        // At most the limit, and what a bucket or a fading window gives back meanwhile.
        const back = algorithm === "sliding-window-log" ? 0 : ((until - from + 60) * 100) / 300;
        expect(sum).toBeLessThanOrEqual(100 + back);
      }
    }
    expect(passed[0]?.count).toBe(100);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "a cost of %d is a RangeError",
    async (cost) => {
      const decide = async (): Promise<unknown> =>
        limiter.decide([{ policy: ten, key: "k", cost }]);
      await expect(decide()).rejects.toThrow(RangeError);
    },
  );

  test.each([0, -1, 1.5, Number.NaN, 2_000_000_000])(
    "a limit of %d is a RangeError, and nobody else's",
    async (requests) => {
      const policy = { name: "none", requests, windowMs: 1_000, algorithm };
      const wrong = async (): Promise<unknown> => limiter.decide([{ policy, key: "k" }]);
      const right = limiter.decide([{ policy: ten, key: randomUUID() }]);
      await expect(wrong()).rejects.toThrow(RangeError);
      expect((await right).allowed).toBe(true);
    },
  );

  test("nothing asked is nothing refused", async () => {
    expect(await limiter.decide([])).toEqual({
      allowed: true,
      retryAfterMs: 0,
      states: [],
      violated: [],
    });
  });
});

describe.each(subjects)("$name", ({ limiter }) => {
  test("a bucket may hold less than its window gives, or more", async () => {
    const policy = limitPolicy("burst", { requests: 100, window: "1d", burst: 5 });
    const all = Array.from({ length: 50 }, async () => limiter.decide([{ policy, key: "burst" }]));
    const verdicts = await Promise.all(all);
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  test("a log keeps 10,000 requests of a key and no more", async () => {
    const log = (requests: number): LimitPolicy => ({
      name: `log ${requests}`,
      requests,
      windowMs: 3_600_000,
      algorithm: "sliding-window-log",
    });
    const key = randomUUID();
    expect((await limiter.decide([{ policy: log(10_000), key, cost: 9_999 }])).allowed).toBe(true);
    expect((await limiter.decide([{ policy: log(10_000), key, cost: 2 }])).allowed).toBe(false);
    const wrong = async (): Promise<unknown> => limiter.decide([{ policy: log(10_001), key }]);
    await expect(wrong()).rejects.toThrow(RangeError);
  });
});
