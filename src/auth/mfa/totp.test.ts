import { describe, expect, test } from "vitest";
import { toBase32 } from "./base32.ts";
import { matchStep, otpauthUri, totpCode } from "./totp.ts";

const SECRET = Buffer.from("12345678901234567890");

// RFC 6238 appendix B, the last six of its eight digits.
test.each([
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
  [20000000000, "353130"],
])("at second %d the code is %s", (second, code) => {
  expect(totpCode(SECRET, Math.floor(second / 30))).toBe(code);
});

// RFC 4226 appendix D.
test.each(
  [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
  ].map((code, count) => [count, code] as const),
)("count %d has %s", (count, code) => expect(totpCode(SECRET, count)).toBe(code));

// RFC 4648 section 10, without padding.
test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("base32 of %j is %s", (text, base32) => expect(toBase32(Buffer.from(text))).toBe(base32));

describe("of a code that is typed", () => {
  const now = 1_111_111_111_000;
  const step = Math.floor(now / 30_000);
  test.each<[what: string, typed: string, matched: number | undefined]>([
    ["the current step's is good", totpCode(SECRET, step), step],
    ["the one before it", totpCode(SECRET, step - 1), step - 1],
    ["the next one is not", totpCode(SECRET, step + 1), undefined],
    ["nor the one before the last", totpCode(SECRET, step - 2), undefined],
    ["spaces do not matter", ` ${totpCode(SECRET, step).replace(/(...)/, "$1 ")}`, step],
    ["five digits are none", totpCode(SECRET, step).slice(1), undefined],
    ["seven neither", `${totpCode(SECRET, step)}0`, undefined],
    ["nothing is none", "", undefined],
    ["letters are none", "abcdef", undefined],
    ["other digits are none", "\u0661\u0662\u0663\u0664\u0665\u0666", undefined],
    ["a long text is none", `${" ".repeat(20)}${totpCode(SECRET, step)}`, undefined],
  ])("%s", (_what, typed, matched) => expect(matchStep(SECRET, typed, now)).toBe(matched));
});

test("at the beginning of time there is a step before the current one", () => {
  expect(matchStep(SECRET, totpCode(SECRET, 0), 29_999)).toBe(0);
});

test("the URI names issuer and account, and neither can add to it", () => {
  const uri = new URL(otpauthUri(SECRET, "A:B & C", "ada@example.com?x=1"));
  expect(decodeURIComponent(uri.pathname)).toBe("/A B & C:ada@example.com?x=1");
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    issuer: "A B & C",
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
});
