import type { Answer, TestApp } from "../../support/app.ts";

export interface Group {
  readonly id: string;
  readonly type: string;
  readonly document: string;
  readonly subject: string | null;
  readonly blocked: string | null;
  readonly count: number;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
}

/** A breach of the policy as `report-uri` sends it. */
export const breach = (origin: string, change: Readonly<Record<string, unknown>> = {}) => ({
  "csp-report": {
    "document-uri": `${origin}/docs?token=canary-query`,
    "effective-directive": "img-src",
    "blocked-uri": "https://evil.example/i.png?canary-blocked",
    "script-sample": "canary-sample",
    referrer: "https://canary-referrer.example/",
    disposition: "enforce",
    ...change,
  },
});

/** report sends a body as a browser does. */
export const report = (
  app: TestApp,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> =>
  app.call("POST", "/api/reports", {
    body,
    headers: { "content-type": "application/csp-report", ...headers },
  });
