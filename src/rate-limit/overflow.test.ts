import { expect, test } from "vitest";
import { RateLimiter } from "./rate-limiter.ts";

// What happens where the table is full: nothing that is blocked is forgotten, and nothing grows.

const TEN = { requests: 10, window: "10s" };

function full(maxKeys: number) {
  let now = 0;
  const limiter = new RateLimiter({ clock: { now: () => now }, maxKeys });
  const burst = (key: string, count: number): number =>
    Array.from({ length: count }, () => limiter.consume(key, TEN)).filter((r) => r.allowed).length;
  const fill = (): void => {
    for (let i = 0; limiter.size < maxKeys; i += 1) burst(`filler ${now} ${i}`, 1);
  };
  fill();
  return {
    limiter,
    burst,
    fill,
    advance: (milliseconds: number): void => {
      now += milliseconds;
    },
  };
}

test("a flood of keys does not make a blocked one forgotten", () => {
  const { limiter, burst, advance } = full(1);
  const first = "filler 0 0";
  burst(first, 20);
  for (let i = 0; i < 50_000; i += 1) limiter.consume(`address:${i}`, TEN);
  expect(burst(first, 20)).toBe(0);
  advance(1_000);
  expect(burst(first, 20)).toBe(1);
});

test("the table is bounded, whatever comes", () => {
  const { limiter, advance } = full(100);
  for (let i = 0; i < 30_000; i += 1) {
    limiter.consume(`address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, TEN);
    if (i % 100 === 0) advance(1);
  }
  expect(limiter.size).toBe(100);
  expect(limiter.overflowed).toBeGreaterThan(0);
});

test.each<[what: string, keyOf: (i: number) => string]>([
  ["IPv4 /24", (i) => `address:10.1.2.${i}`],
  ["IPv6 /48", (i) => `address:2001:db8:1:${i.toString(16)}::/64`],
])("new keys of one %s share a bucket", (_what, keyOf) => {
  const { burst } = full(5);
  const passed = Array.from({ length: 200 }, (_, i) => burst(keyOf(i), 1));
  expect(passed.filter((count) => count === 1)).toHaveLength(10);
});

test("another network has a bucket of its own", () => {
  const { burst } = full(5);
  expect(burst("address:10.1.2.3", 20)).toBe(10);
  // Two networks may meet in one bucket, by a seed; not all of these.
  const others = ["10.1.3.3", "10.2.2.3", "11.1.2.3", "192.0.2.1"].map((text) =>
    burst(`address:${text}`, 20),
  );
  expect(Math.max(...others)).toBe(10);
});

test("what is full again makes room, and a key that was refused in the overflow is not let off by it", () => {
  const { limiter, burst, advance } = full(5);
  expect(burst("u1", 20)).toBe(10);
  expect(limiter.overflowed).toBe(20);
  // The fillers took one token each and are full again; u1 has two back of ten.
  advance(2_000);
  expect(burst("u1", 20)).toBe(2);
  expect(limiter.overflowed).toBe(20);
  advance(1_000);
  expect(burst("u1", 20)).toBe(1);
  advance(10_000);
  expect(burst("u1", 20)).toBe(10);
});

test("a key that has a bucket keeps it while the table is full", () => {
  const { limiter, burst } = full(3);
  const before = limiter.overflowed;
  expect(burst("filler 0 1", 20)).toBe(9);
  expect(limiter.overflowed).toBe(before);
});
