import { beforeEach, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";
import { ADMIN, adminCount, issueToken } from "./support.ts";

const app = await testApp();
const { bulwark, call, reset, dump } = app;
beforeEach(reset);

const setup = (token: string, more: Record<string, unknown> = {}) =>
  call("POST", "/setup", { body: { token, ...ADMIN, ...more } });

test("the link makes an administrator, who may then read the log", async () => {
  const answer = await setup(await issueToken(app));
  expect(answer.status).toBe(201);
  expect(answer.json["data"]).toMatchObject({
    user: { email: ADMIN.email, name: ADMIN.name, roles: ["user", "admin"] },
  });
  const body = { email: ADMIN.email, password: PASSWORD };
  const login = await call("POST", "/api/auth/login", { body });
  const token = dataOf<{ accessToken: string }>(login).accessToken;
  const audit = await call("GET", "/api/admin/audit?type=auth.register", { token });
  expect(audit.json["data"]).toMatchObject([
    { severity: "high", metadata: { roles: ["user", "admin"] } },
  ]);
});

test("only a hash of the token is stored", async () => {
  const token = await issueToken(app);
  const stored = await dump();
  expect(stored).toContain("first-admin");
  expect(stored).not.toContain(token);
  expect(stored).not.toContain(Buffer.from(token, "base64url").toString("hex"));
});

test("a refused address, name or password leaves the token good", async () => {
  const token = await issueToken(app);
  expect((await setup(token, { password: "short" })).status).toBe(400);
  expect((await setup(token, { email: "no address" })).status).toBe(400);
  expect((await setup(token, { name: "" })).status).toBe(400);
  expect((await setup(token, { role: "admin" })).status).toBe(400);
  expect(await adminCount(app)).toBe(0);
  expect((await setup(token)).status).toBe(201);
});

test("a taken address is 409 and leaves the token good", async () => {
  const token = await issueToken(app);
  const { email } = await app.signUp();
  expect((await setup(token, { email })).status).toBe(409);
  expect(await adminCount(app)).toBe(0);
  expect((await setup(token)).status).toBe(201);
});

// GHSA-hc7v: a one-time link used twice in parallel made two sessions.
test("20 redemptions at once make one administrator", async () => {
  const token = await issueToken(app);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => setup(token, { email: `first${index}@example.com` })),
  );
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 404)]);
  expect(await adminCount(app)).toBe(1);
});

test("no other token is issued once an administrator exists", async () => {
  await setup(await issueToken(app));
  expect(await bulwark.firstAdmin.issue()).toBeUndefined();
});
