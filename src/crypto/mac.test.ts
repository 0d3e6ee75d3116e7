import { describe, expect, test } from "vitest";
import { hmacSha256, randomText } from "./index.ts";

const key = new Uint8Array(32).fill(7);
const hex = (...parts: (string | Uint8Array)[]): string =>
  hmacSha256(key, ...parts).toString("hex");

describe("a MAC of parts", () => {
  test("keeps them apart, in order", () => {
    const all = [hex("ab", "c"), hex("a", "bc"), hex("abc"), hex("c", "ab"), hex("abc", ""), hex()];
    expect(new Set(all).size).toBe(all.length);
  });
  test("reads a text as its UTF-8", () =>
    expect(hex("\u00e9")).toBe(hex(Uint8Array.of(0xc3, 0xa9))));
  test("depends on the key", () => {
    expect(hmacSha256(new Uint8Array(32), "a").toString("hex")).not.toBe(hex("a"));
  });
});

test("a random text has as many bytes as were asked for", () => {
  expect(Buffer.from(randomText(16), "base64url")).toHaveLength(16);
  expect(randomText(16)).not.toBe(randomText(16));
});
