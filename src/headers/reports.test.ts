import { describe, expect, test } from "vitest";
import { parseReports } from "./index.ts";

const csp = (change: Record<string, unknown> = {}) => ({
  "csp-report": {
    "document-uri": "https://app.example.com/orders?token=canary-query#canary-fragment",
    referrer: "https://canary-referrer.example/",
    "violated-directive": "script-src-elem",
    "effective-directive": "script-src-elem",
    "original-policy": "default-src 'none'; canary-policy",
    disposition: "enforce",
    "blocked-uri": "https://user:canary-password@evil.example/x.js?canary",
    "status-code": 200,
    "script-sample": "canary-sample",
    "source-file": "https://app.example.com/assets/app.js?canary",
    "line-number": 12,
    "column-number": 3,
    ...change,
  },
});

const report = (type: string, body: object, more: object = {}) => ({
  age: 10,
  type,
  url: "https://app.example.com/orders?canary",
  user_agent: "canary-agent",
  body,
  ...more,
});

const VIOLATION = {
  documentURL: "https://app.example.com/orders?canary",
  referrer: "https://canary.example/",
  blockedURL: "inline",
  effectiveDirective: "script-src-elem",
  originalPolicy: "canary",
  sourceFile: "https://app.example.com/orders?canary",
  sample: "canary-sample",
  disposition: "report",
  statusCode: 200,
  lineNumber: 4,
  columnNumber: 5,
};

describe("what browsers send", () => {
  test("by report-uri", () => {
    expect(parseReports(csp())).toEqual([
      {
        type: "csp-violation",
        document: "https://app.example.com/orders",
        subject: "script-src-elem",
        blocked: "https://evil.example/x.js",
        source: "https://app.example.com/assets/app.js",
        line: 12,
        disposition: "enforce",
      },
    ]);
  });

  test("by report-uri of Level 2, where the directive is the policy's own text", () => {
    const old = csp({
      "effective-directive": undefined,
      "violated-directive": "script-src 'self'",
    });
    expect(parseReports(old)?.[0]?.subject).toBe("script-src");
  });

  test("by the Reporting API, several at once", () => {
    const list = [
      report("csp-violation", VIOLATION),
      report("deprecation", { id: "UnloadHandler", message: "canary", sourceFile: "x" }),
      report("permissions-policy-violation", { featureId: "camera", disposition: "enforce" }),
      report("coep", { type: "corp", blockedURL: "https://b.example/i.png?canary" }),
      report("crash", { reason: "oom" }),
    ];
    const read = parseReports(list);
    expect(read).toMatchObject([
      {
        type: "csp-violation",
        subject: "script-src-elem",
        blocked: "inline",
        line: 4,
        disposition: "report",
      },
      { type: "deprecation", subject: "UnloadHandler", source: "x" },
      { type: "permissions-policy-violation", subject: "camera" },
      { type: "coep", subject: "corp", blocked: "https://b.example/i.png" },
      { type: "crash", subject: "oom", document: "https://app.example.com/orders" },
    ]);
    expect(JSON.stringify(read)).not.toContain("canary");
  });
});

test("nothing that was private of a report is kept", () => {
  expect(JSON.stringify(parseReports(csp()))).not.toContain("canary");
});

describe("a place", () => {
  test.each<[url: unknown, kept: string | null]>([
    ["https://a.example", "https://a.example/"],
    ["https://a.example:8443/x?y#z", "https://a.example:8443/x"],
    [
      "https://a.example/users/17/orders/01a20cea-28b8-727a-9362-1e88e86bbf2d",
      "https://a.example/users/:id/orders/:id",
    ],
    [`https://a.example/reset/${"Ab9_".repeat(10)}`, "https://a.example/reset/:id"],
    ["https://a.example/person@example.com/x", "https://a.example/:id/x"],
    ["https://a.example/person%40example.com/x", "https://a.example/:id/x"],
    ["data:text/html,canary", "data:"],
    ["blob:https://a.example/17", "blob:"],
    ["chrome-extension://abcdef/x.js", "chrome-extension:"],
    ["javascript:alert(1)", "javascript:"],
    ["inline", "inline"],
    ["eval", "eval"],
    ["trusted-types-sink", "trusted-types-sink"],
    ["", null],
    ["<script>", null],
    ["a b", null],
    ["x".repeat(9_000), null],
    [17, null],
    [{ toString: 1 }, null],
    [null, null],
    [
      `https://a.example/${"a/".repeat(400)}`,
      `https://a.example/${"a/".repeat(400)}`.slice(0, 500),
    ],
  ])("%j is %s", (url, kept) => {
    expect(parseReports(csp({ "blocked-uri": url }))?.[0]?.blocked).toBe(kept);
  });
});

describe("what is no report", () => {
  test.each<[body: unknown]>([
    [undefined],
    [null],
    ["x"],
    [17],
    [[]],
    [{}],
    [{ "csp-report": 1 }],
    [[1]],
    [[report("csp-violation", VIOLATION), null]],
    [{ type: 1, body: {} }],
    [{ __proto__: { "csp-report": {} } }],
  ])("%j", (body) => {
    const read = parseReports(body);
    expect(read === undefined || read.length === 0).toBe(true);
  });

  test.each<[body: unknown]>([
    [csp({ "document-uri": undefined })],
    [csp({ "document-uri": "about" + " blank" })],
    [report("unknown-type", {})],
    [report("constructor", {})],
    [report("csp-violation", null as never)],
    [[report("network-error", {}), report("unknown", {})]],
  ])("%j is one that nothing is kept of", (body) => expect(parseReports(body)).toEqual([]));

  test.each([
    ["script-src'; DROP TABLE", null],
    ["<b>", null],
    ["a".repeat(101), null],
    ["style-src-attr", "style-src-attr"],
    [{}, null],
  ])("a directive %j is %j", (value, kept) => {
    const of = csp({ "effective-directive": value, "violated-directive": undefined });
    expect(parseReports(of)?.[0]?.subject).toBe(kept);
  });

  test.each([[0], [-1], [1.5], ["4"], [2 ** 31], [Number.NaN]])("a line %j is none", (line) => {
    expect(parseReports(csp({ "line-number": line }))?.[0]?.line).toBeNull();
  });
});

test("of a body without end the first twenty are read", () => {
  const many = Array.from({ length: 1_000 }, () => report("csp-violation", VIOLATION));
  expect(parseReports(many)).toHaveLength(20);
});
