import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { uuidv7 } from "../core/index.ts";
import { apiKeyPattern, createKeyText, hintOf, idOf, idTextOf, keyParser } from "./key-text.ts";

const ID = "018f0000-0000-7000-8000-00000000000a";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const parse = keyParser("bwk");
const make = () => createKeyText("bwk", "live", ID).key;

/** The text with its checksum made right again. */
function signed(body: string): string {
  let rest = crc32(body);
  let digits = "";
  for (let i = 0; i < 6; i += 1) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return body + digits;
}

describe("a key", () => {
  test("is prefix, environment, id, secret and checksum, and reads back", () => {
    for (const environment of ["live", "test"] as const) {
      const { key, secret } = createKeyText("acme", environment, ID);
      const [prefix, env, id, tail = ""] = key.split("_");
      expect([prefix, env, id]).toEqual(["acme", environment, idTextOf(ID)]);
      expect(tail.slice(0, -6)).toBe(secret);
      expect(signed(key.slice(0, -6))).toBe(key);
      expect(keyParser("acme")(key)).toEqual({ environment, idText: id, secret });
      expect(hintOf("acme", environment, ID)).toBe(`acme_${environment}_${id}`);
    }
  });

  test("has 190 bits of secret, each character as likely as any other", () => {
    const counts = new Map<string, number>();
    const keys = Array.from({ length: 4_000 }, () => createKeyText("bwk", "live", ID).secret);
    for (const character of keys.join("")) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(keys[0]).toHaveLength(32);
    expect(32 * Math.log2(62)).toBeGreaterThan(160);
    expect(counts.size).toBe(62);
    const expected = (4_000 * 32) / 62;
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 61 degrees of freedom: above 120 is rarer than one run in 100,000; bytes taken modulo 62 would give some thousands.
    expect(chi).toBeLessThan(120);
    expect(new Set(keys).size).toBe(4_000);
  });

  test("is found in a text by the published pattern, as scanners write it", () => {
    const key = make();
    const text = `API_KEY="${key}"\nkey: ${key}, ${key.slice(0, -1)} x${key} ${key}y`;
    expect([...text.matchAll(apiKeyPattern())].map(([found]) => found)).toEqual([key, key]);
    expect(readFileSync("docs/api-keys.md", "utf8")).toContain(`\n${apiKeyPattern().source}\n`);
    expect(apiKeyPattern("acme").source).toBe(
      "\\bacme_(?:live|test)_[0-9A-Za-z]{22}_[0-9A-Za-z]{38}\\b",
    );
  });

  test("the pattern takes time in proportion to the text", () => {
    const evil = "bwk_live_".repeat(100_000) + "a".repeat(1_000_000);
    const started = performance.now();
    expect(apiKeyPattern().test(evil)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("what is no key", () => {
  const key = make();
  const body = key.slice(0, -6);
  test.each<[what: string, text: string]>([
    ["nothing", ""],
    ["the key cut by one", key.slice(0, -1)],
    ["the key and a line's end", `${key}\n`],
    ["the key after a space", ` ${key.slice(1)}`],
    ["another prefix", signed(body.replace("bwk", "bwx"))],
    ["another environment", signed(body.replace("live", "prod"))],
    ["the environment of another length", signed(body.replace("live", "dev0"))],
    ["a dash for an underscore", signed(body.replace(/_(?=[^_]*$)/, "-"))],
    ["a dash in the secret", signed(`${body.slice(0, -1)}-`)],
    ["an underscore in the id", signed(`${body.slice(0, 12)}_${body.slice(13)}`)],
    ["a letter of another alphabet", signed(`${body.slice(0, -1)}\u0430`)],
    ["the checksum of another", `${body}${make().slice(-6)}`],
    ["a checksum of noughts", `${body}000000`],
    ["small letters", key.toLowerCase()],
    ["two keys", `${key}, ${key}`],
    ["a megabyte", "bwk_live_".repeat(120_000)],
  ])("%s", (_what, text) => {
    expect(parse(text)).toBeUndefined();
  });

  test("any character changed", () => {
    for (let index = 0; index < key.length; index += 1) {
      const other = key[index] === "A" ? "B" : "A";
      expect(parse(key.slice(0, index) + other + key.slice(index + 1)), `${index}`).toBeUndefined();
    }
    expect(parse(key)).toBeDefined();
  });

  test.each(["", "a", "A1", "1ab", "bwk_", "b".repeat(17), "__proto__"])(
    "%j is no prefix",
    (prefix) => {
      for (const use of [
        () => apiKeyPattern(prefix),
        () => keyParser(prefix),
        () => createKeyText(prefix, "live", ID),
      ]) {
        expect(use).toThrow(/^prefix: expected 2 to 16 small letters and digits/);
      }
    },
  );
});

test("an id reads back from 22 characters; a number past 128 bits is none", () => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      expect(idTextOf(id)).toHaveLength(22);
      expect(idOf(idTextOf(id))).toBe(id);
    }),
  );
  expect(idOf(idTextOf(uuidv7(0)))).toMatch(/^00000000-0000-7/);
  expect(idOf("0".repeat(22))).toBe("00000000-0000-0000-0000-000000000000");
  expect(idOf("z".repeat(22))).toBeUndefined();
});
