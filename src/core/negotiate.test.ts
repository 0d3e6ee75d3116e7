import { expect, test } from "vitest";
import { accepts, prefersProblem } from "./negotiate.ts";

const JSON_TYPES = ["application/json", "application/problem+json"];

test.each<[accept: string | null, taken: boolean]>([
  [null, true],
  ["", true],
  ["*/*", true],
  ["application/json", true],
  ["Application/JSON", true],
  ["application/*", true],
  ["text/html, application/json;q=0.1", true],
  ["text/html,application/xhtml+xml,*/*;q=0.8", true],
  ["application/problem+json", true],
  ["application/json; charset=utf-8", true],
  ["application/json;q=0, */*", true],
  ["text/html", false],
  ["text/*", false],
  ["application/json;q=0", false],
  ["*/*;q=0", false],
  ["application/*;q=0, */*", false],
  ["application/jsonp", false],
  [`${"text/html,".repeat(200)}application/json`, false],
])("Accept %j takes JSON: %s", (accept, taken) => {
  expect(accepts(accept, JSON_TYPES)).toBe(taken);
});

test("the most specific range decides", () => {
  const accept = "text/html;q=0, text/*;q=1";
  expect(accepts(accept, ["text/html"])).toBe(false);
  expect(accepts(accept, ["text/plain"])).toBe(true);
});

test.each<[accept: string | null, problem: boolean]>([
  [null, false],
  ["*/*", false],
  ["application/*", false],
  ["application/json", false],
  ["application/problem+json", true],
  ["Application/Problem+JSON", true],
  ["application/problem+json, application/json", true],
  ["application/problem+json;q=0.5, application/json;q=0.4", true],
  ["application/problem+json;q=0.5, application/json", false],
  ["application/problem+json;q=0, */*", false],
  ["application/problem+json;q=0.5, text/html", true],
])("Accept %j asks for a problem document: %s", (accept, problem) => {
  expect(prefersProblem(accept)).toBe(problem);
});
