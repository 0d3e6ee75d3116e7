import { afterAll, expect, test } from "vitest";
import { startApp } from "../../support/app.ts";

const app = await startApp({
  headers: {
    coep: "require-corp",
    corp: "same-site",
    permissions: { fullscreen: ["self"] },
    pages: {
      directives: { "img-src": ["'self'"] },
      reportOnly: { "style-src": ["'none'"] },
      reports: "https://reports.example.com/csp",
    },
  },
});
afterAll(() => app.close());

const get = (path: string, accept: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${app.port}${path}`, { headers: { accept } });

test("what is configured stands on every answer, refusals among them", async () => {
  for (const path of ["/health/live", "/nothing", "/api/products"]) {
    const { headers } = await get(path, "application/json");
    expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-site");
    expect(headers.get("permissions-policy")).toMatch(/fullscreen=\(self\)$/);
    expect(headers.get("strict-transport-security")).toBeNull();
  }
});

// hono#5147: a nonce beside a policy that only reports crashed.
test("a page has its own directives, a policy that is tried out, and another collector", async () => {
  const answer = await get("/docs", "text/html");
  expect(answer.status).toBe(200);
  const policy = answer.headers.get("content-security-policy") ?? "";
  const nonce = /script-src 'nonce-([^']+)' 'strict-dynamic'/.exec(policy)?.[1];
  expect(policy).toContain("; img-src 'self'; ");
  expect(policy).toContain("report-uri https://reports.example.com/csp");
  const tried = answer.headers.get("content-security-policy-report-only") ?? "";
  expect(tried).toContain("style-src 'none'");
  expect(tried).toContain(`'nonce-${nonce}'`);
  expect(await answer.text()).toContain(`nonce="${nonce}"`);
});
