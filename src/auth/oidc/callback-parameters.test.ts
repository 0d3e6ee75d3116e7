import { describe, expect, test } from "vitest";
import { checkReturnTo, readCallback } from "./callback-parameters.ts";

const ISSUER = "https://app.example.com";
const STATE = "s".repeat(43);

// CVE-2022-31093: a parameter that comes twice, or leads off the site.
describe("returnTo", () => {
  test.each([
    "/",
    "/a",
    "/a/b?c=d&e=f#g",
    "/a//b",
    "/%2f%2fevil.example",
    "/a?next=https://x.example",
  ])("%j is a path on this site", (path) => {
    expect(checkReturnTo(path, ISSUER)).toBe(path);
    expect(new URL(path, ISSUER).origin).toBe(ISSUER);
  });

  test.each([
    "",
    "a",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://evil.example",
    "https:evil.example",
    "https://app.example.com",
    "https://app.example.com/a",
    "https://app.example.com@evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/a\r\nset-cookie: a=b",
    "/\u0000",
    "/\u00e9",
    "/a\\b",
    `/${"a".repeat(1_024)}`,
    ["/a", "/b"],
    ["/a"],
    { toString: () => "/a" },
    null,
    undefined,
    1,
  ])("%j is not", (value) => {
    expect(() => checkReturnTo(value, ISSUER)).toThrow(
      expect.objectContaining({
        statusCode: 400,
        details: [
          {
            field: "returnTo",
            message: "Expected a path on this site.",
            code: "invalid_return_to",
          },
        ],
      }),
    );
  });
});

describe("the query of a callback", () => {
  test("has a state, and may have an issuer", () => {
    expect(readCallback(`?code=c&state=${STATE}`)).toEqual({ state: STATE, iss: undefined });
    expect(readCallback(`?state=${STATE}&iss=https%3A%2F%2Fid`)).toEqual({
      state: STATE,
      iss: "https://id",
    });
    expect(readCallback(`?state=${STATE}&iss=`)).toEqual({ state: STATE, iss: "" });
  });

  test.each([
    "",
    "?code=c",
    "?code=c&state=",
    `?code=c&state=${STATE}s`,
    `?code=c&state=${STATE.slice(1)}`,
    `?code=c&state=${STATE.slice(1)}%00`,
    `?state=${STATE}&state=${STATE}`,
    `?state=${STATE}&code=a&code=b`,
    `?state=${STATE}&iss=a&iss=a`,
    `?state=${STATE}&error=a&error=b`,
    `?state[]=${STATE}`,
    `?code=${"c".repeat(8_192)}&state=${STATE}`,
    `?state=${STATE}&${Array.from({ length: 20 }, (_, index) => `p${index}=1`).join("&")}`,
  ])("%.80s is refused", (search) => {
    expect(() => readCallback(search)).toThrow(
      expect.objectContaining({ code: "INVALID_REQUEST", statusCode: 400 }),
    );
  });
});
