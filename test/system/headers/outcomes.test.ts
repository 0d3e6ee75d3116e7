import { describe, expect, test } from "vitest";
import { productionApp } from "./support.ts";

const { app, get } = await productionApp();
const { token } = await app.signUp();
const bearer = `Authorization: Bearer ${token}\r\n`;

const API = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "0",
  "cache-control": "no-store",
};

describe("in production every answer has every header", () => {
  test.each<[status: number, path: string, headers: string]>([
    [200, "/api/auth/me", bearer],
    [401, "/api/auth/me", ""],
    [401, "/api/auth/me", "Authorization: Bearer wrong\r\n"],
    [403, "/api/admin/audit", bearer],
    [404, "/nothing", ""],
    [405, "/api/auth/login", ""],
    [406, "/api/products", `${bearer}Accept: text/html\r\n`],
    [413, "/api/products", `${bearer}Content-Length: 99999999\r\n`],
    [414, `/${"a".repeat(8_192)}`, ""],
    [431, "/", `X-Long: ${"a".repeat(20_000)}\r\n`],
  ])("a %i of %s", async (status, path, headers) => {
    const answer = await get(path, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(API);
    expect(answer.headers).not.toHaveProperty("server");
    expect(answer.headers).not.toHaveProperty("x-powered-by");
    expect(answer.headers).not.toHaveProperty("cross-origin-embedder-policy");
  });

  test("a 421, and what is no HTTP", async () => {
    for (const bytes of [
      "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      "nonsense\r\n\r\n",
    ]) {
      const [answer] = await app.raw(bytes);
      expect([400, 421]).toContain(answer?.status);
      expect(answer?.headers).toMatchObject(API);
    }
  });

  test("a page has them too, with its own policy and a place for its reports", async () => {
    const answer = await get("/docs", "Accept: text/html\r\n");
    const { "content-security-policy": _policy, ...others } = API;
    expect(answer.headers).toMatchObject(others);
    expect(answer.headers["content-security-policy"]).toMatch(
      /script-src 'nonce-[^']{24}' 'strict-dynamic'; .*; report-uri \/api\/reports; report-to default/,
    );
    expect(answer.headers["reporting-endpoints"]).toBe('default="/api/reports"');
  });
});
