import { describe, expect, test } from "vitest";
import { hostCheck } from "./host.ts";

const isAllowed = hostCheck([
  "api.example.com",
  "localhost:3000",
  "[::1]:3000",
  "API2.example.com",
]);

test.each<[host: string | null, allowed: boolean]>([
  ["api.example.com", true],
  ["API.Example.COM", true],
  ["api2.example.com", true],
  ["localhost:3000", true],
  ["[::1]:3000", true],
  [null, false],
  ["", false],
  ["example.com", false],
  ["evil.example", false],
  ["api.example.com:443", false],
  ["api.example.com.", false],
  ["x.api.example.com", false],
  ["api.example.com.evil.example", false],
  ["api.example.com@evil.example", false],
  ["api.example.com, evil.example", false],
  [" api.example.com", false],
  ["localhost", false],
  ["localhost:3001", false],
  ["__proto__", false],
  ["constructor", false],
])("%j: %s", (host, allowed) => {
  expect(isAllowed(host)).toBe(allowed);
});

describe("an entry that is no host is refused", () => {
  test.each([
    "",
    "https://a.example",
    "a.example/x",
    "a.example?x",
    "u@a.example",
    "*.example",
    "a b",
    "a:99999",
    "a.example#x",
  ])("%j", (entry) => {
    expect(() => hostCheck([entry])).toThrow(TypeError);
    expect(() => hostCheck([entry])).toThrow(`came ${JSON.stringify(entry)}`);
  });
});
