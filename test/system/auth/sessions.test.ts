import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { type Account, dataOf, testApp } from "../../support/app.ts";
import { countOf, signInByCookie, type Tokens } from "./support.ts";

const app = await testApp();
const { bulwark, call, clock, query, reset, signUp } = app;
beforeEach(reset);

interface Listed {
  readonly id: string;
  readonly current: boolean;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly idleExpiresAt: string;
}

const HOUR = 3_600_000;
const listOf = async (token: string): Promise<readonly Listed[]> =>
  dataOf<Listed[]>(await call("GET", "/api/auth/sessions", { token }));
const statusOf = async (token: string): Promise<number> =>
  (await call("GET", "/api/auth/me", { token })).status;

/** Signs in through the service, which no limit by address counts. */
async function again({ email, password }: Account): Promise<string> {
  const signedIn = await bulwark.auth.login({ email, password }, {});
  if (signedIn.mode !== "token") throw new Error("a second factor was asked for");
  return signedIn.accessToken;
}

test("the list shows the sessions of this user alone, and which of them asks", async () => {
  const account = await signUp();
  await signUp();
  const second = await again(account);
  for (const token of [account.token, second]) {
    const list = await listOf(token);
    expect(list).toHaveLength(2);
    const me = await call("GET", "/api/auth/me", { token });
    const { sessionId } = dataOf<{ sessionId: string }>(me);
    expect(list.filter(({ current }) => current).map(({ id }) => id)).toEqual([sessionId]);
  }
});

test("it shows when each ends, by age and by idleness", async () => {
  const { token } = await signUp();
  const [session] = await listOf(token);
  const now = clock.now();
  expect(Date.parse(session?.createdAt ?? "")).toBe(now);
  expect(Date.parse(session?.idleExpiresAt ?? "")).toBeGreaterThan(now);
  expect(Date.parse(session?.expiresAt ?? "")).toBeGreaterThanOrEqual(
    Date.parse(session?.idleExpiresAt ?? ""),
  );
});

test("a cookie session ends when its shown idle end has come", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const asked = await call("GET", "/api/auth/sessions", { headers: { cookie } });
  const current = dataOf<Listed[]>(asked).find((one) => one.current);
  clock.advance(Date.parse(current?.idleExpiresAt ?? "") - clock.now());
  expect((await call("GET", "/api/auth/me", { headers: { cookie } })).status).toBe(401);
});

test("a session that is used ends when its shown absolute end has come", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const me = () => call("GET", "/api/auth/me", { headers: { cookie } });
  const asked = await call("GET", "/api/auth/sessions", { headers: { cookie } });
  const end = Date.parse(dataOf<Listed[]>(asked).find((one) => one.current)?.expiresAt ?? "");
  while (clock.now() + HOUR / 4 < end) {
    clock.advance(HOUR / 4);
    expect((await me()).status).toBe(200);
  }
  clock.advance(end - clock.now());
  expect((await me()).status).toBe(401);
});

test("one session is ended, and no other", async () => {
  const account = await signUp();
  const [second, third] = [await again(account), await again(account)];
  const me = await call("GET", "/api/auth/me", { token: second });
  const { sessionId } = dataOf<{ sessionId: string }>(me);
  const ended = await call("DELETE", `/api/auth/sessions/${sessionId}`, { token: account.token });
  expect(ended.status).toBeLessThan(300);
  expect([await statusOf(account.token), await statusOf(second), await statusOf(third)]).toEqual([
    200, 401, 200,
  ]);
});

test("all others are ended at once, and they are counted", async () => {
  const account = await signUp();
  const stranger = await signUp();
  const others = [await again(account), await again(account)];
  const ended = await call("DELETE", "/api/auth/sessions", { token: account.token });
  expect(dataOf(ended)).toEqual({ ended: 2 });
  for (const token of others) expect(await statusOf(token)).toBe(401);
  expect(await statusOf(account.token)).toBe(200);
  expect(await statusOf(stranger.token)).toBe(200);
});

// GHSA-4vcf: one user acted on another's id.
describe("what is no session of this user is not found, and nothing is touched", () => {
  test.each<[what: string, id: (other: string) => string, statuses: readonly number[]]>([
    ["another user's", (id) => id, [404]],
    ["nobody's", () => "0190a0b0-0000-7000-8000-000000000000", [404]],
    ["no id", () => "1", [404]],
    ["a statement", () => "'%20OR%20'1'='1", [404]],
    ["a long text", () => "a".repeat(500), [404]],
  ])("%s", async (_what, spell, statuses) => {
    const [account, other] = [await signUp(), await signUp()];
    const [theirs] = await listOf(other.token);
    const before = await query(sql`SELECT id FROM bulwark.sessions ORDER BY id`);
    const path = `/api/auth/sessions/${spell(theirs?.id ?? "")}`;
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => call("DELETE", path, { token: account.token })),
    );
    for (const { status } of answers) expect(statuses).toContain(status);
    expect(await query(sql`SELECT id FROM bulwark.sessions ORDER BY id`)).toEqual(before);
    expect(await statusOf(other.token)).toBe(200);
  });
});

test("of 21 sessions the oldest ends", async () => {
  const account = await signUp();
  let newest = account.token;
  for (let count = 0; count < 19; count += 1) {
    clock.advance(1);
    newest = await again(account);
  }
  expect(await countOf(app, "sessions")).toBe(20);
  expect(await statusOf(account.token)).toBe(200);
  clock.advance(1);
  const last = await again(account);
  expect(await countOf(app, "sessions")).toBe(20);
  expect([await statusOf(account.token), await statusOf(newest), await statusOf(last)]).toEqual([
    401, 200, 200,
  ]);
});

// CVE-2022-25896 (passport): the id of a session was kept across a sign-in.
describe("a session goes on under a new id, and the old one is dead", () => {
  const idOf = async (token: string): Promise<string> =>
    dataOf<{ sessionId: string }>(await call("GET", "/api/auth/me", { token })).sessionId;

  test("after a sign-in that came with an old session", async () => {
    const account = await signUp();
    const first = await signInByCookie(app, account);
    const { email, password } = account;
    const answer = await call("POST", "/api/auth/login", {
      body: { email, password, mode: "cookie" },
      headers: { cookie: first, "sec-fetch-site": "same-origin" },
    });
    const second = answer.headers.getSetCookie().join("; ");
    const value = /__Host-session=([^;]+)/;
    expect(value.exec(second)?.[1]).toEqual(expect.any(String));
    expect(value.exec(second)?.[1]).not.toBe(value.exec(first)?.[1]);
  });

  test.each<[what: string, path: string, body: (password: string) => object]>([
    ["a step-up", "/api/auth/step-up", (password) => ({ password })],
    [
      "a change of the password",
      "/api/auth/password/change",
      (currentPassword) => ({ currentPassword, newPassword: "another rather long one" }),
    ],
  ])("after %s", async (_what, path, body) => {
    const account = await signUp();
    const before = await idOf(account.token);
    const answer = await call("POST", path, {
      token: account.token,
      body: body(account.password),
    });
    expect(answer.status).toBe(200);
    expect(await statusOf(account.token)).toBe(401);
    expect(await idOf(dataOf<Tokens>(answer).accessToken)).not.toBe(before);
    const rows = await query(sql`SELECT id FROM bulwark.sessions WHERE id = ${before}`);
    expect(rows).toEqual([]);
  });

  test("after a change of roles there is none", async () => {
    const [account, token] = [await signUp(), await app.adminToken()];
    const before = await idOf(account.token);
    const path = `/api/admin/users/${account.id}/roles`;
    const changed = await call("POST", path, { token, body: { roles: ["user", "moderator"] } });
    expect(changed.status).toBe(200);
    expect(await statusOf(account.token)).toBe(401);
    expect(await idOf(await again(account))).not.toBe(before);
  });
});
