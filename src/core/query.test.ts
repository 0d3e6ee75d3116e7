import { expect, test } from "vitest";
import { parseQuery } from "./query.ts";

test.each<[search: string, query: Record<string, string | readonly string[]>]>([
  ["", {}],
  ["a=1", { a: "1" }],
  ["a", { a: "" }],
  ["a=1&a=2", { a: ["1", "2"] }],
  ["a=1&a=2&a=3&b=4", { a: ["1", "2", "3"], b: "4" }],
  ["a=b+c%26d", { a: "b c&d" }],
  ["a[b]=1", { "a[b]": "1" }],
  ["a=%", { a: "%" }],
  ["__proto__=x", { ["__proto__"]: "x" }],
  ["constructor=x&toString=y", { constructor: "x", toString: "y" }],
])("%j", (search, query) => {
  const read = parseQuery(search);
  expect({ ...read }).toEqual(query);
  expect(Object.getPrototypeOf(read)).toBeNull();
});
