import { expect, test } from "vitest";
import { KeyedHash } from "./keyed-hash.ts";

const KEY = [0x03020100, 0x07060504];

function digestsOf(
  texts: readonly string[],
  key: readonly number[] = KEY,
  name = "limit",
): string[] {
  const hash = new KeyedHash(key);
  const state = hash.begin(name);
  return texts.map((text) => {
    hash.digest(state, text);
    return `${hash.low} ${hash.high}`;
  });
}

const TEXTS = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "abcd",
  "abcde",
  "dcba",
  "abcdabcd",
  "\0",
  "\0\0",
  "a\0",
  "\u0100",
  "\u0001\0",
  "\u0161bc",
  "abc\u0161",
  "\u{1f600}",
  "x".repeat(255),
  "x".repeat(256),
  "x".repeat(511),
];

test("texts that differ by anything have digests that differ", () => {
  expect(new Set(digestsOf(TEXTS)).size).toBe(TEXTS.length);
});

test("a digest depends on the key and on the name", () => {
  const all = [
    ...digestsOf(TEXTS),
    ...digestsOf(TEXTS, [1, 2]),
    ...digestsOf(TEXTS, [2, 1]),
    ...digestsOf(TEXTS, KEY, "limi"),
    ...digestsOf(TEXTS, KEY, ""),
  ];
  expect(new Set(all).size).toBe(5 * TEXTS.length);
  expect(digestsOf(TEXTS)).toEqual(digestsOf(TEXTS));
});

test("what was hashed before changes nothing, of the same state or another", () => {
  const hash = new KeyedHash(KEY);
  const states = [hash.begin("limit"), hash.begin("other")];
  const expected = states.map((_, index) => digestsOf(TEXTS, KEY, ["limit", "other"][index]));
  for (const [first, one] of TEXTS.entries()) {
    for (const [second, two] of TEXTS.entries()) {
      for (const [at, state] of states.entries()) {
        for (const [index, text] of [
          [first, one],
          [second, two],
          [second, two],
        ] as const) {
          hash.digest(state, text);
          if (`${hash.low} ${hash.high}` !== expected[at]?.[index]) {
            throw new Error(`after ${JSON.stringify(one)}: ${JSON.stringify(text)}`);
          }
        }
      }
    }
  }
});

test("without a key of its own, each hash has another", () => {
  const one = new KeyedHash();
  const other = new KeyedHash();
  one.digest(one.begin(""), "a");
  other.digest(other.begin(""), "a");
  expect([one.low, one.high]).not.toEqual([other.low, other.high]);
});

test("a hundred thousand keys that count up fill the lower bits evenly, and none meet", () => {
  const hash = new KeyedHash(KEY);
  const state = hash.begin("address");
  const seen = new Set<string>();
  const homes = new Uint16Array(1_024);
  for (let i = 0; i < 100_000; i += 1) {
    hash.digest(state, `address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    seen.add(`${hash.low} ${hash.high}`);
    homes[hash.low & 1_023] = (homes[hash.low & 1_023] as number) + 1;
  }
  expect(seen.size).toBe(100_000);
  // 97.7 each; ten standard deviations of a fair die are 99.
  expect(Math.max(...homes)).toBeLessThan(197);
  expect(Math.min(...homes)).toBeGreaterThan(20);
});

test("the high half is never zero", () => {
  const hash = new KeyedHash([0, 0]);
  const state = hash.begin("");
  for (let i = 0; i < 200_000; i += 1) {
    hash.digest(state, String(i));
    if (hash.high === 0) throw new Error(`zero for ${i}`);
  }
});
