import { describe, expect, test } from "vitest";
import {
  createPageHeaders,
  NONCE,
  type PagePolicyOptions,
  pageHeaders,
  pageNonce,
} from "./index.ts";

test("the policy lets nothing run but what carries the nonce, and nothing in from elsewhere", () => {
  const nonce = pageNonce();
  const policy = pageHeaders({ nonce })["content-security-policy"] ?? "";
  expect(policy.split("; ")).toEqual([
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  expect(policy).not.toContain("unsafe");
});

test("a page keeps all other headers of an answer, HSTS in production", () => {
  const nonce = pageNonce();
  expect(pageHeaders({ nonce })).toMatchObject({
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  expect(pageHeaders({ nonce })).not.toHaveProperty("strict-transport-security");
  expect(pageHeaders({ nonce, hsts: true })).toHaveProperty("strict-transport-security");
});

test.each(["", "short", "a b c d e f g h i j k l m n", "x'; script-src *; 'aaaaaaaaaaaaaaaaaaaaa"])(
  "%j is no nonce",
  (nonce) => expect(() => pageHeaders({ nonce })).toThrow(TypeError),
);

test("a nonce has 128 bits and is new every time", () => {
  const nonces = Array.from({ length: 100 }, pageNonce);
  expect(new Set(nonces).size).toBe(100);
  expect(atob(nonces[0] ?? "")).toHaveLength(16);
});

describe("what browsers report", () => {
  const nonce = pageNonce();

  test("goes to a collector by the policy, and by the Reporting API where it is served over HTTPS", () => {
    const headers = pageHeaders({ nonce, reportUri: "/api/reports", reportTo: "/api/reports" });
    const policy = headers["content-security-policy"];
    expect(policy).toContain("; report-uri /api/reports; report-to default");
    expect(headers["reporting-endpoints"]).toBe('default="/api/reports"');
    const plain = pageHeaders({ nonce, reportUri: "/api/reports" });
    expect(plain["content-security-policy"]).not.toContain("report-to");
    expect(plain).not.toHaveProperty("reporting-endpoints");
  });

  // hono#5147: a nonce beside a policy that only reports crashed.
  test("a second policy is tried out beside the first, with the same nonce", () => {
    const headers = pageHeaders({
      nonce,
      reportUri: "/r",
      reportOnly: { "script-src": [NONCE], "img-src": ["'none'"] },
    });
    const tried = headers["content-security-policy-report-only"] ?? "";
    expect(tried).toContain(`script-src 'nonce-${nonce}';`);
    expect(tried).toContain("img-src 'none'");
    expect(tried).toContain("report-uri /r");
    expect(headers["content-security-policy"]).toContain("'strict-dynamic'");
    expect(headers["content-security-policy"]).toContain("img-src 'self' data:");
  });

  test.each<[options: PagePolicyOptions, problem: string]>([
    [{ reportUri: "//evil.example" }, "reportUri: expected a path or URL"],
    [{ reportUri: "/\\evil.example" }, "reportUri: expected a path or URL"],
    [{ reportUri: "reports" }, "reportUri: expected a path or URL"],
    [{ reportUri: "javascript:alert(1)" }, "reportUri: expected a path or URL"],
    [{ reportUri: "/a; script-src *" }, "reportUri: expected a path or URL"],
    [{ reportTo: '/a", other="/b' }, "reportTo: expected a path or URL"],
    [{ reportTo: "/a\r\nx: y" }, "reportTo: expected a path or URL"],
  ])("%j is refused", (options, problem) => {
    expect(() => createPageHeaders(options)).toThrow(problem);
  });
});

test("a page's own directives take the place of the usual ones, and stay checked", () => {
  const nonce = pageNonce();
  const directives = { "img-src": ["https://images.example.com"] };
  expect(pageHeaders({ nonce, directives })["content-security-policy"]).toContain(
    "; img-src https://images.example.com; ",
  );
  expect(() => createPageHeaders({ directives: { "script-src": ["'unsafe-inline'"] } })).toThrow(
    "insecureSources",
  );
  const insecureSources = { "style-src": ["'unsafe-inline'"] };
  expect(() => createPageHeaders({ insecureSources })).not.toThrow();
});

test("a nonce that looks like a replacement is one all the same", () => {
  const nonce = "$$$$$$$$$$$$$$$$$$$$$$";
  expect(() => pageHeaders({ nonce })).toThrow(TypeError);
});
