import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limitPolicy } from "../core/index.ts";
import { RateLimiter } from "./rate-limiter.ts";

const TEN = { requests: 10, window: "10s" };

function limiterAt(maxKeys?: number) {
  let now = 1_000_000;
  const limiter = new RateLimiter({ clock: { now: () => now }, maxKeys });
  return {
    limiter,
    advance: (milliseconds: number): void => {
      now += milliseconds;
    },
    now: () => now,
    /** How many of `count` requests pass at once. */
    burst: (key: string, count: number, options = TEN): number =>
      Array.from({ length: count }, () => limiter.consume(key, options)).filter((r) => r.allowed)
        .length,
  };
}

describe("a token bucket", () => {
  test("lets a burst of 200 have what the limit says, and no more", () => {
    expect(limiterAt().burst("a", 200)).toBe(10);
    expect(limiterAt().burst("a", 200, { requests: 199, window: "1d" })).toBe(199);
  });

  test.each([
    [0, 0],
    [999, 0],
    [1_000, 1],
    [1_999, 1],
    [5_000, 5],
    [10_000, 10],
    [86_400_000, 10],
  ])("has after %i ms refilled %i of 10 in 10 s", (milliseconds, tokens) => {
    const { burst, advance } = limiterAt();
    burst("a", 50);
    advance(milliseconds);
    expect(burst("a", 50)).toBe(tokens);
  });

  test("tells what is left, when all is back, and when to come again", () => {
    const { limiter, advance, now } = limiterAt();
    expect(limiter.consume("a", TEN)).toMatchObject({
      allowed: true,
      remaining: 9,
      resetAt: new Date(now() + 1_000),
      retryAfterMs: 0,
    });
    expect(limiter.consume("a", TEN, 9)).toMatchObject({ allowed: true, remaining: 0 });
    advance(250);
    expect(limiter.consume("a", TEN)).toMatchObject({
      allowed: false,
      remaining: 0,
      resetAt: new Date(now() + 9_750),
      retryAfterMs: 750,
    });
    advance(750);
    expect(limiter.consume("a", TEN).allowed).toBe(true);
  });

  test("a refused request costs nothing, a heavy one neither", () => {
    const { limiter, burst, advance } = limiterAt();
    expect(limiter.consume("a", TEN, 11).allowed).toBe(false);
    expect(burst("a", 1_000)).toBe(10);
    advance(1_000);
    expect(burst("a", 10)).toBe(1);
  });

  // Fixed windows let 199 of 100 through across their boundary.
  test("in any window at most twice the limit passes, and that only after a rest", () => {
    const step = fc.tuple(fc.nat(2_000), fc.nat(20));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { burst, advance, now } = limiterAt();
        const start = now();
        let passed = 0;
        for (const [wait, count] of steps) {
          advance(wait);
          passed += burst("a", count);
          // What a bucket of 10 with one token a second can have given since the start.
          if (passed > 10 + Math.floor((now() - start) / 1_000)) return false;
        }
        return true;
      }),
    );
  });

  test("keys, and limits on one key, are apart", () => {
    const { burst } = limiterAt();
    expect(burst("a", 20)).toBe(10);
    expect(burst("b", 20)).toBe(10);
    expect(burst("a", 20, { requests: 3, window: "10s" })).toBe(3);
  });

  test.each(["__proto__", "constructor", "toString", "", "a\nb"])(
    "%j is a key like another",
    (key) => {
      const { burst } = limiterAt();
      expect(burst(key, 20)).toBe(10);
      expect(burst(`${key}x`, 20)).toBe(10);
    },
  );

  test("checkLimit says the same behind a promise", async () => {
    const { limiter } = limiterAt();
    const results = await Promise.all(
      Array.from({ length: 200 }, () => limiter.checkLimit("a", TEN)),
    );
    expect(results.filter((result) => result.allowed)).toHaveLength(10);
  });

  test("forget lifts a block under every policy, of that key alone", () => {
    const { limiter, burst } = limiterAt();
    burst("a", 20);
    burst("a", 20, { requests: 3, window: "10s" });
    burst("b", 20);
    limiter.forget("a");
    expect([
      burst("a", 20),
      burst("a", 20, { requests: 3, window: "10s" }),
      burst("b", 20),
    ]).toEqual([10, 3, 0]);
  });
});

describe("decide", () => {
  const wide = limitPolicy("wide", { requests: 10, window: "10s" });
  const narrow = limitPolicy("narrow", { requests: 2, window: "10s" });

  test("charges all, or none", () => {
    const { limiter } = limiterAt();
    const both = [
      { policy: wide, key: "a" },
      { policy: narrow, key: "a" },
    ];
    expect(limiter.decide(both)).toMatchObject({ allowed: true, violated: [], retryAfterMs: 0 });
    expect(limiter.decide(both).allowed).toBe(true);
    for (let i = 0; i < 100; i += 1) {
      expect(limiter.decide(both)).toMatchObject({
        allowed: false,
        violated: ["narrow"],
        retryAfterMs: 5_000,
      });
    }
    const left = limiter.decide([{ policy: wide, key: "a", cost: 0 }]).states[0]?.remaining;
    expect(left).toBe(8);
  });

  test("names all that refuse, and the longest wait", () => {
    const { limiter } = limiterAt();
    const both = [
      { policy: wide, key: "a", cost: 10 },
      { policy: narrow, key: "a", cost: 2 },
    ];
    limiter.decide(both);
    expect(limiter.decide(both)).toMatchObject({
      allowed: false,
      violated: ["wide", "narrow"],
      retryAfterMs: 10_000,
    });
  });

  test("charges a key as often as it is named", () => {
    const { limiter } = limiterAt();
    const twice = [
      { policy: narrow, key: "a" },
      { policy: narrow, key: "a" },
    ];
    expect(limiter.decide(twice).allowed).toBe(true);
    expect(limiter.decide([{ policy: narrow, key: "a" }]).allowed).toBe(false);
    expect(
      limiter.decide([...twice, { policy: narrow, key: "b" }].map((r) => ({ ...r, key: "b" })))
        .allowed,
    ).toBe(false);
    expect(limiter.decide([{ policy: narrow, key: "b", cost: 2 }]).allowed).toBe(true);
  });

  test("nothing asked is nothing refused", () => {
    expect(limiterAt().limiter.decide([])).toEqual({
      allowed: true,
      retryAfterMs: 0,
      states: [],
      violated: [],
    });
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "a cost of %d is out of range",
    (cost) => {
      const { limiter } = limiterAt();
      expect(() => limiter.decide([{ policy: wide, key: "a", cost }])).toThrow(RangeError);
      expect(() => limiter.consume("a", TEN, cost)).toThrow(
        `cost: expected a whole number of at least 0, came ${cost}`,
      );
    },
  );

  test.each([0, -1, 1.5, Number.NaN])("a table of %d keys is none", (maxKeys) => {
    expect(() => new RateLimiter({ maxKeys })).toThrow(RangeError);
  });
});
