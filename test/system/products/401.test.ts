import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { LAMP, makeProduct } from "./support.ts";

const app = await testApp();
const { call, query, reset, signUp } = app;
let id: string;

beforeAll(async () => {
  await reset();
  id = (await makeProduct(app, (await signUp()).token)).id;
});

const ROUTES: readonly (readonly [method: string, path: () => string, body: unknown])[] = [
  ["GET", () => "/api/products", undefined],
  ["POST", () => "/api/products", LAMP],
  ["GET", () => `/api/products/${id}`, undefined],
  ["PATCH", () => `/api/products/${id}`, { name: "x" }],
  ["DELETE", () => `/api/products/${id}`, undefined],
  ["GET", () => "/api/auth/me", undefined],
  ["POST", () => "/api/auth/logout", undefined],
  ["GET", () => "/api/admin/audit", undefined],
];

test.each(ROUTES)(
  "%s without a credential is 401 and writes nothing",
  async (method, path, body) => {
    const rows = sql`SELECT * FROM reference.products`;
    const before = await query(rows);
    const answer = await call(method, path(), { body });
    expect(answer.status).toBe(401);
    expect(answer.json["code"]).toBe("UNAUTHORIZED");
    expect(await query(rows)).toEqual(before);
  },
);

test.each([
  ["a header that claims a user", { "x-user-id": "1", "x-user-role": "admin" }],
  // CVE-2025-29927 (Next.js): the check was skipped by a header.
  ["a header that claims to be inside", { "x-middleware-subrequest": "middleware:middleware" }],
  ["a cookie that nobody set", { cookie: "__Host-session=x; session=y" }],
  ["a method override", { "x-http-method-override": "OPTIONS" }],
  ["a rewritten path", { "x-original-url": "/health/live", "x-rewrite-url": "/health/live" }],
])("%s opens nothing", async (_name, headers) => {
  expect((await call("GET", "/api/products", { headers })).status).toBe(401);
  // A cookie is asked where it comes from before it is read.
  const refused = "cookie" in headers ? 403 : 401;
  expect((await call("DELETE", `/api/products/${id}`, { headers })).status).toBe(refused);
});
