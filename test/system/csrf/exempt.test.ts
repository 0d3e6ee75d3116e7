import { afterAll, describe, expect, test } from "vitest";
import { createRouter } from "../../../src/core/index.ts";
import { startApp } from "../../support/app.ts";
import { signInByCookie } from "../auth/support.ts";

// CVE-2025-47910: exempting `/hello/` exempted `/hello` too.
const app = await startApp({ insecureCsrfExempt: ["POST /hello/:name", "POST /hooks"] });
afterAll(() => app.close());
await app.reset();

const { AuthenticatedAPIHandler } = app.bulwark.handlers;
const define = (path: string) =>
  (["POST", "PUT"] as const).map((method) =>
    AuthenticatedAPIHandler[method](() => "done", { path, requireAuth: true }),
  );
const router = createRouter(
  AuthenticatedAPIHandler,
  ["/hello", "/hello/:name", "/hello/:name/more", "/hooks", "/hooks/:id", "/hooksmore"].flatMap(
    define,
  ),
);
const cookie = await signInByCookie(app, await app.signUp());

describe("an exemption is one route", () => {
  test.each<[method: string, path: string, status: number]>([
    ["POST", "/hello/a", 200],
    ["PUT", "/hello/a", 403],
    ["POST", "/hello", 403],
    ["POST", "/hello/a/more", 403],
    ["POST", "/hooks", 200],
    ["POST", "/hooks/1", 403],
    ["POST", "/hooksmore", 403],
    ["POST", "/hooks/", 404],
    ["POST", "/HOOKS", 404],
    ["POST", "//hooks", 404],
    ["POST", "/hello%2fa", 404],
    ["POST", "/hello/a/", 404],
  ])("%s %s: %i", async (method, path, status) => {
    const headers = { cookie, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const url = `http://localhost:${app.port}${path}`;
    const answer = await router(new Request(url, { method, headers }), {});
    expect(answer.status).toBe(status);
  });
});
