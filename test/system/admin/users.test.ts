import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { dataOf, startApp, testApp } from "../../support/app.ts";
import { challengeOf, login, mailTo, type Tokens, withTotp } from "../auth/support.ts";

const app = await testApp();
const { call, clock, reset, signUp } = app;
beforeEach(reset);

const DAY = 86_400_000;
const stateOf = (id: string) =>
  app.query(sql`SELECT roles, disabled_at FROM bulwark.users WHERE id = ${id}`);
const act = (token: string, id: string, name: string, body: object = {}) =>
  call("POST", `/api/admin/users/${id}/${name}`, { token, body });

const ROUTES: readonly (readonly [method: string, path: string, body: object | undefined])[] = [
  ["GET", "/api/admin/users", undefined],
  ["GET", "/api/admin/users/:id", undefined],
  ["GET", "/api/admin/sessions", undefined],
  ["POST", "/api/admin/users/invite", { email: "guest@example.com", name: "Guest" }],
  ["POST", "/api/admin/users/:id/lock", {}],
  ["POST", "/api/admin/users/:id/unlock", {}],
  ["POST", "/api/admin/users/:id/disable", {}],
  ["POST", "/api/admin/users/:id/enable", {}],
  ["POST", "/api/admin/users/:id/revoke-sessions", {}],
  ["POST", "/api/admin/users/:id/roles", { roles: ["user"] }],
  ["POST", "/api/admin/users/:id/reset-mfa", {}],
];

describe("who may", () => {
  test.each(ROUTES)("%s %s: administrators alone", async (method, path, body) => {
    const subject = await signUp();
    const target = path.replace(":id", subject.id);
    const before = await stateOf(subject.id);
    expect((await call(method, target, { body })).status).toBe(401);
    for (const roles of [["user"], ["user", "moderator"], []]) {
      const { token } = await signUp(roles);
      const refused = await call(method, target, { token, body });
      expect([refused.status, refused.json["code"]]).toEqual([403, "FORBIDDEN"]);
    }
    expect(await stateOf(subject.id)).toEqual(before);
    expect((await call("GET", "/api/auth/me", { token: subject.token })).status).toBe(200);
    const allowed = await call(method, target, { token: await app.adminToken(), body });
    const expected = path.endsWith("invite") ? 201 : path.endsWith("reset-mfa") ? 202 : 200;
    expect(allowed.status).toBe(expected);
  });

  test.each(ROUTES.filter(([, path]) => path.includes(":id")))(
    "%s %s: who is not there is not found",
    async (method, path, body) => {
      const token = await app.adminToken();
      for (const id of ["0190a0b0-0000-7000-8000-000000000000", "1", "__proto__"]) {
        const answer = await call(method, path.replace(":id", id), { token, body });
        expect(answer.status).toBe(404);
      }
    },
  );

  test.each(ROUTES.filter(([method]) => method === "POST"))(
    "%s %s needs a factor of the last ten minutes",
    async (method, path, body) => {
      const [{ id }, token] = [await signUp(), await app.adminToken()];
      clock.advance(10 * 60_000);
      const late = await call(method, path.replace(":id", id), { token, body });
      expect([late.status, late.json["code"]]).toEqual([401, "REAUTHENTICATION_REQUIRED"]);
    },
  );
});

describe("the last administrator", () => {
  const TAKING: readonly (readonly [name: string, body: object])[] = [
    ["lock", {}],
    ["disable", {}],
    ["roles", { roles: ["user"] }],
  ];

  test.each(TAKING)("stays: %s", async (name, body) => {
    const admin = await signUp(["user", "admin"]);
    expect((await act(admin.token, admin.id, name, body)).status).toBe(409);
    expect((await call("GET", "/api/admin/users", { token: admin.token })).status).toBe(200);
  });

  test.each(
    TAKING.flatMap(([first, one]) => TAKING.map(([second, two]) => ({ first, one, second, two }))),
  )("stays: $first of one, then $second of the other", async ({ first, one, second, two }) => {
    const [a, b] = [await signUp(["user", "admin"]), await signUp(["user", "admin"])];
    expect((await act(a.token, b.id, first, one)).status).toBe(200);
    expect((await act(a.token, a.id, second, two)).status).toBe(409);
    expect((await call("GET", "/api/admin/users", { token: a.token })).status).toBe(200);
  });

  test.each(
    TAKING.flatMap(([first, one]) => TAKING.map(([second, two]) => ({ first, one, second, two }))),
  )("stays: $first and $second of both at once", async ({ first, one, second, two }) => {
    const [a, b] = [await signUp(["user", "admin"]), await signUp(["user", "admin"])];
    const answers = await Promise.all([
      act(a.token, b.id, first, one),
      act(b.token, a.id, second, two),
    ]);
    const done = answers.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    for (const { status } of answers) expect([200, 401, 403, 409]).toContain(status);
    const alive = await Promise.all(
      [a, b].map(({ email, password }) => login(app, { email, password })),
    );
    const roles = alive
      .filter(({ status }) => status === 200)
      .map((answer) => dataOf<{ user: { roles: string[] } }>(answer).user.roles);
    expect(roles.flat()).toContain("admin");
  });
});

describe("second factors are reset", () => {
  test("a day after one administrator asked, and the owner is told", async () => {
    const account = await withTotp(app);
    const token = await app.adminToken();
    const asked = await act(token, account.id, "reset-mfa");
    expect(asked.status).toBe(202);
    const effectiveAt = new Date(clock.now() + DAY).toISOString();
    expect(dataOf(asked)).toEqual({ done: false, effectiveAt });
    await mailTo(app, account.email, "factors-reset");
    expect((await act(token, account.id, "reset-mfa")).status).toBe(202);
    await app.bulwark.sweep();
    expect(await challengeOf(app, account)).toEqual(expect.any(String));
    clock.advance(DAY);
    await app.bulwark.sweep();
    const signedIn = await login(app, { email: account.email, password: account.password });
    expect(dataOf<Tokens>(signedIn).accessToken).toEqual(expect.any(String));
  });

  test("at once when a second administrator asks for the same", async () => {
    const account = await withTotp(app);
    const [one, other] = [await app.adminToken(), await app.adminToken()];
    expect((await act(one, account.id, "reset-mfa")).status).toBe(202);
    const done = await act(other, account.id, "reset-mfa");
    expect([done.status, dataOf<{ done: boolean }>(done).done]).toEqual([200, true]);
    expect((await call("GET", "/api/auth/me", { token: account.token })).status).toBe(401);
    const signedIn = await login(app, { email: account.email, password: account.password });
    expect(dataOf<Tokens>(signedIn).accessToken).toEqual(expect.any(String));
  });

  test("not by their owner", async () => {
    const admin = await withTotp(app, ["user", "admin"]);
    expect((await act(admin.token, admin.id, "reset-mfa")).status).toBe(403);
  });
});

// Names that every object has were taken for roles.
test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "ADMIN", "admin "])(
  "%s is no role",
  async (role) => {
    const [{ id, token: theirs }, token] = [await signUp(), await app.adminToken()];
    expect((await act(token, id, "roles", { roles: [role] })).status).toBe(400);
    const body = { email: "guest@example.com", name: "Guest", roles: [role] };
    expect((await call("POST", "/api/admin/users/invite", { token, body })).status).toBe(400);
    const query = `?role=${encodeURIComponent(role)}`;
    expect((await call("GET", `/api/admin/users${query}`, { token })).status).toBe(400);
    expect((await call("GET", "/api/auth/me", { token: theirs })).status).toBe(200);
  },
);

describe("where administrators need a second factor", async () => {
  const strict = await startApp({ auth: { adminMfa: "required" } });
  afterAll(strict.close);
  beforeEach(strict.reset);
  const users = (token: string) => strict.call("GET", "/api/admin/users", { token });

  test("one without is refused", async () => {
    const answer = await users(await strict.adminToken());
    expect([answer.status, answer.json["code"]]).toEqual([403, "MFA_REQUIRED"]);
  });

  test("one whose factor is 15 minutes old proves it again", async () => {
    const admin = await withTotp(strict, ["user", "admin"]);
    expect((await users(admin.token)).status).toBe(200);
    strict.clock.advance(15 * 60_000);
    const late = await users(admin.token);
    expect([late.status, late.json["code"]]).toEqual([401, "REAUTHENTICATION_REQUIRED"]);
    expect(late.headers.get("www-authenticate")).toMatch(
      /^Bearer error="insufficient_user_authentication".*max_age=900/,
    );
    const stepped = await strict.call("POST", "/api/auth/step-up", {
      token: admin.token,
      body: { method: "totp", code: admin.code() },
    });
    expect(stepped.status).toBe(200);
    expect((await users(dataOf<Tokens>(stepped).accessToken)).status).toBe(200);
  });
});
