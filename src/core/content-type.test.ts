import { expect, test } from "vitest";
import { isJson, parseContentType } from "./content-type.ts";

const read = (value: string | null): [string, Record<string, string>] | undefined => {
  const media = parseContentType(value);
  return media && [media.type, Object.fromEntries(media.parameters)];
};

test.each<[value: string, type: string, parameters: Record<string, string>]>([
  ["application/json", "application/json", {}],
  ["Application/JSON", "application/json", {}],
  [" application/json ", "application/json", {}],
  ["application/json; charset=utf-8", "application/json", { charset: "utf-8" }],
  ["application/json;CHARSET=UTF-8", "application/json", { charset: "UTF-8" }],
  ['application/json; charset="utf-8"', "application/json", { charset: "utf-8" }],
  ['text/plain; a="b;c"', "text/plain", { a: "b;c" }],
  ['text/plain; a="\\"q\\""', "text/plain", { a: '"q"' }],
  ["text/plain;;a=b;", "text/plain", { a: "b" }],
  ["application/vnd.api+json", "application/vnd.api+json", {}],
  ["text/plain; __proto__=x", "text/plain", { ["__proto__"]: "x" }],
])("%s is a media type", (value, type, parameters) => {
  expect(read(value)).toEqual([type, parameters]);
});

// CVE-2022-41919, CVE-2025-32442, CVE-2026-25223, CVE-2026-3419: two readers of one value disagreed.
test.each([
  "",
  "json",
  "/json",
  "application/",
  "application/json, text/plain",
  "text/plain, application/json",
  "application/json text/plain",
  "application/json garbage",
  "application/json;charset=utf-8 garbage",
  "application/json; charset",
  "application/json; charset=",
  "application/json; charset=utf-8; charset=utf-16",
  'application/json; charset="utf-8',
  "application/json\ttext/plain",
  "application/json\n;charset=utf-8",
  "application\u00a0/json",
  "\u00a0application/json",
  "application/json\u00a0;charset=utf-8",
  "application/json;\u000bcharset=utf-8",
  "application/json/x",
  `application/json;a=${"b".repeat(300)}`,
])("%j is none", (value) => {
  expect(parseContentType(value)).toBeUndefined();
});

test("no header is no media type", () => expect(parseContentType(null)).toBeUndefined());

test.each<[value: string, json: boolean]>([
  ["application/json", true],
  ["application/json; charset=UTF-8", true],
  ["application/json; charset=utf8", true],
  ["application/merge-patch+json", true],
  ["application/json; charset=utf-16", false],
  ["application/json; charset=iso-8859-1", false],
  ["application/jsonp", false],
  ["application/json-seq", false],
  ["application/+json", false],
  ["text/json", false],
  ["text/plain", false],
  ["text/plain; a=application/json", false],
  ["multipart/form-data; boundary=application/json", false],
  ["application/x-www-form-urlencoded", false],
  ["application/json, text/plain", false],
])("%s as JSON: %s", (value, json) => {
  expect(isJson(parseContentType(value))).toBe(json);
});
