import { expect, test } from "vitest";
import { RefusalThrottle } from "./refusal-throttle.ts";

const WINDOW = 60_000;
const throttle = (): RefusalThrottle => new RefusalThrottle({ rows: 10, windowMs: WINDOW });
const kind = ["access.denied", "/x", "1.1.1.1"];

test("ten of a kind have rows of their own, and the rest of the minute one bucket", () => {
  const all = throttle();
  const buckets = Array.from({ length: 200 }, () => all.bucketOf(kind, 0));
  expect(buckets.slice(0, 10)).toEqual(Array(10).fill(undefined));
  expect(new Set(buckets.slice(10))).toEqual(new Set(['0 ["access.denied","/x","1.1.1.1"]']));
});

test("another minute begins anew, under another bucket", () => {
  const all = throttle();
  const at = (now: number): (string | undefined)[] =>
    Array.from({ length: 11 }, () => all.bucketOf(kind, now));
  expect(at(WINDOW - 1).at(-1)).toMatch(/^0 /);
  expect(at(WINDOW)[0]).toBeUndefined();
  expect(at(WINDOW).at(-1)).toMatch(/^1 /);
});

test.each<[what: string, other: readonly (string | undefined)[]]>([
  ["another type", ["auth.login.failed", "/x", "1.1.1.1"]],
  ["another route", ["access.denied", "/y", "1.1.1.1"]],
  ["another address", ["access.denied", "/x", "1.1.1.2"]],
  ["no address", ["access.denied", "/x", undefined]],
  ["parts that join to the same text", ["access.denied", '/x","1.1.1.1']],
])("%s is another kind", (_what, other) => {
  const all = throttle();
  for (let i = 0; i < 20; i += 1) all.bucketOf(kind, 0);
  expect(all.bucketOf(other, 0)).toBeUndefined();
});

test("past ten thousand kinds the new ones share one bucket, and the known go on", () => {
  const all = throttle();
  for (let i = 0; i < 10_000; i += 1) all.bucketOf([`k${i}`], 0);
  expect(all.bucketOf(["new"], 0)).toBe("0 overflow");
  expect(all.bucketOf(["new"], 0)).toBe("0 overflow");
  expect(all.bucketOf(["k0"], 0)).toBeUndefined();
});

test("a bucket's name is bounded", () => {
  const all = new RefusalThrottle({ rows: 0, windowMs: WINDOW });
  expect(all.bucketOf(["x".repeat(5_000)], 0)).toHaveLength(512);
});
