import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { describe, expect, test } from "vitest";
import { productionApp } from "../../system/headers/support.ts";
import { observe, score } from "./observatory.ts";

const { get } = await productionApp();
const HTML = "Accept: text/html\r\n";

/** Google's own evaluator; what it would only advise is not counted. */
const findings = (policy: string): readonly string[] =>
  new CspEvaluator(new CspParser(policy).csp)
    .evaluate()
    .filter(({ severity }) => severity < Severity.INFO)
    .map(({ directive, value, description }) => `${directive} ${value ?? ""}: ${description}`);

describe.each([
  ["the api profile", "/health/live", ""],
  ["an api refusal", "/api/products", ""],
  ["the page profile", "/docs", HTML],
  ["the page of a sign-in", "/login", HTML],
])("%s", (_what, path, headers) => {
  test("gives csp_evaluator nothing to find", async () => {
    const answer = await get(path, headers);
    expect(findings(answer.headers["content-security-policy"] ?? "")).toEqual([]);
  });

  test("would have 130 points of the HTTP Observatory", async () => {
    const answer = await get(path, headers);
    const observed = observe(answer.headers, answer.body);
    expect(score(observed), observed.join()).toBeGreaterThanOrEqual(130);
  });
});

describe("and these checks can fail", () => {
  test.each([
    ["script-src 'unsafe-inline'"],
    ["default-src 'self'; script-src https:"],
    ["script-src 'self'; base-uri *"],
    ["object-src *; script-src 'nonce-AAAAAAAAAAAAAAAAAAAAAA' 'strict-dynamic'"],
  ])("%s is found", (policy) => expect(findings(policy)).not.toEqual([]));

  test("the headers of the usual example have fewer", () => {
    const usual = {
      "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
      "strict-transport-security": "max-age=63072000",
      "x-content-type-options": "nosniff",
    };
    expect(score(observe(usual, ""))).toBe(110);
    const { "strict-transport-security": _hsts, ...plain } = usual;
    expect(score(observe(plain, ""))).toBe(80);
    expect(score(observe({}, ""))).toBe(30);
    const inline = { ...usual, "content-security-policy": "default-src 'self' 'unsafe-inline'" };
    expect(score(observe(inline, ""))).toBe(60);
  });
});
