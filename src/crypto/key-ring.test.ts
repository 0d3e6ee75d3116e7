import { hkdfSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createKeyRing, digestsEqual, generateSecret, secretProblem, sha256 } from "./index.ts";

const A = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const B = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

describe("a key ring", () => {
  test("derives by HKDF-SHA-256, the purpose in info", () => {
    const [key] = createKeyRing([A]).derive("token");
    const material = Buffer.from(A, "base64url");
    const expected = hkdfSync("sha256", material, new Uint8Array(), "bulwark key\0token", 32);
    expect(key.bytes).toEqual(new Uint8Array(expected));
    expect(key.bytes).toHaveLength(32);
  });

  test("has a key of its own for every purpose and secret, and the same each time", () => {
    const keys = ["a", "b", "a\0b", ""].flatMap((purpose) => createKeyRing([A, B]).derive(purpose));
    expect(new Set(keys.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(8);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(8);
    expect(createKeyRing([A]).derive("a")).toEqual(createKeyRing([A]).derive("a"));
  });

  test("makes with the newest, and still knows the older", () => {
    const [old] = createKeyRing([A]).derive("p");
    const [newest, ...others] = createKeyRing([B, A]).derive("p");
    expect(newest).toEqual(createKeyRing([B]).derive("p")[0]);
    expect(others).toEqual([old]);
  });

  test("the id tells nothing of the key", () => {
    const [{ id, bytes }] = createKeyRing([A]).derive("p");
    expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(Buffer.from(bytes).toString("base64url")).not.toContain(id);
  });
});

describe("a secret", () => {
  test("that is made is a good one, and another each time", () => {
    const secrets = Array.from({ length: 50 }, generateSecret);
    expect(secrets.every((secret) => /^[A-Za-z0-9_-]{43}$/.test(secret))).toBe(true);
    expect(secrets.map(secretProblem)).toEqual(secrets.map(() => undefined));
    expect(new Set(secrets).size).toBe(50);
  });

  test.each([
    ["", "a value of 0 characters that is not base64url of 32 bytes or more"],
    ["hunter2", "a value of 7 characters that is not base64url of 32 bytes or more"],
    [A.slice(1), "a value of 42 characters that is not base64url of 32 bytes or more"],
    [`${A}=`, "a value of 44 characters that is not base64url of 32 bytes or more"],
    [`${A} `, "a value of 44 characters that is not base64url of 32 bytes or more"],
    ["a".repeat(64), "a value that repeats too few characters"],
    ["0123456789abcde".repeat(3), "a value that repeats too few characters"],
  ])("%j is refused, without showing it", (secret, problem) => {
    expect(secretProblem(secret)).toBe(problem);
    expect(() => createKeyRing([A, secret])).toThrow(RangeError);
    expect(() => createKeyRing([A, secret])).toThrow(
      `secret: expected 32 random bytes, came ${problem}`,
    );
    if (secret !== "") expect(problem).not.toContain(secret);
  });

  test("is needed", () =>
    expect(() => createKeyRing([])).toThrow("expected at least one, came none"));
});

// timingSafeEqual throws on unequal lengths; here they are a plain refusal.
test.each<[what: string, a: Uint8Array, b: Uint8Array, equal: boolean]>([
  ["the same", sha256("a"), sha256("a"), true],
  ["another", sha256("a"), sha256("b"), false],
  ["a shorter one", sha256("a"), sha256("a").subarray(1), false],
  ["nothing", sha256("a"), new Uint8Array(), false],
  ["nothing twice", new Uint8Array(), new Uint8Array(), true],
  ["text and its bytes", sha256("\u00e9"), sha256(Uint8Array.of(0xc3, 0xa9)), true],
])("digests: %s", (_what, a, b, equal) => {
  expect(digestsEqual(a, b)).toBe(equal);
});
