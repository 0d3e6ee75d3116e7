import { describe, expect, test } from "vitest";
import { type VerifiedToken, VerifiedTokens } from "./verified-tokens.ts";

const token = (sessionId: string): VerifiedToken => ({
  sessionId,
  userId: "u",
  exp: 1,
  kid: "k",
  algorithm: "HS256",
});

describe("remembered tokens", () => {
  test("are found by their digest, and by no other", () => {
    const tokens = new VerifiedTokens(4);
    tokens.set("a", token("1"));
    expect(tokens.get("a")).toEqual(token("1"));
    expect(tokens.get("b")).toBeUndefined();
    tokens.delete("a");
    expect(tokens.get("a")).toBeUndefined();
  });

  test.each([1, 2, 3, 10, 1_000])("are never more than %i, however many come", (capacity) => {
    const tokens = new VerifiedTokens(capacity);
    let most = 0;
    for (let i = 0; i < capacity * 5; i += 1) {
      tokens.set(`t${i}`, token(String(i)));
      tokens.get(`t${i % 7}`);
      most = Math.max(most, tokens.size);
    }
    expect(most).toBeLessThanOrEqual(Math.max(2, capacity));
  });

  test("that are asked for stay while thousands of others pass", () => {
    const tokens = new VerifiedTokens(100);
    tokens.set("mine", token("mine"));
    for (let i = 0; i < 10_000; i += 1) {
      tokens.set(`t${i}`, token(String(i)));
      if (i % 40 === 0) expect(tokens.get("mine")).toEqual(token("mine"));
    }
    expect(tokens.get("t1")).toBeUndefined();
  });

  test("of the old generation go too where one is deleted", () => {
    const tokens = new VerifiedTokens(4);
    for (const digest of ["a", "b", "c"]) tokens.set(digest, token(digest));
    tokens.delete("a");
    expect(tokens.get("a")).toBeUndefined();
    expect(tokens.get("b")).toEqual(token("b"));
  });
});
