import { beforeEach, describe, expect, test } from "vitest";
import { dataOf, testApp } from "../../support/app.ts";
import { cookiesOf, login, SAME_ORIGIN, setCookieOf, signInByCookie } from "./support.ts";

const app = await testApp();
const { call, signUp } = app;
beforeEach(app.reset);

test("a cookie sign-in answers the user alone, and sets cookies for this host that no script reads", async () => {
  const { email, password, id } = await signUp();
  const answer = await login(app, { email, password, mode: "cookie" }, SAME_ORIGIN);
  expect(answer.status).toBe(200);
  expect(Object.keys(dataOf<object>(answer))).toEqual(["user"]);
  expect(dataOf<{ user: { id: string } }>(answer).user.id).toBe(id);
  expect(setCookieOf(answer, "__Host-session")).toMatch(
    /^__Host-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  expect(setCookieOf(answer, "__Host-device")).toMatch(
    /^__Host-device=bdv_[\w.-]+; Max-Age=15552000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
});

test("its cookie opens what a token opens, and says that it was a cookie", async () => {
  const cookie = await signInByCookie(app, await signUp());
  expect((await call("GET", "/api/auth/me", { headers: { cookie } })).status).toBe(200);
  const sessions = await call("GET", "/api/auth/sessions", { headers: { cookie } });
  const list = dataOf<{ mode: string; current: boolean }[]>(sessions);
  expect(list.filter(({ current }) => current).map(({ mode }) => mode)).toEqual(["cookie"]);
});

test("logout ends it, clears what the browser keeps, and leaves the device known", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const answer = await call("POST", "/api/auth/logout", { headers: { cookie, ...SAME_ORIGIN } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("clear-site-data")).toBe('"cache", "storage"');
  expect(setCookieOf(answer, "__Host-session")).toContain("Max-Age=0");
  expect(setCookieOf(answer, "__Host-device")).toBeUndefined();
  expect((await call("GET", "/api/auth/me", { headers: { cookie } })).status).toBe(401);
});

test("a stale cookie does not keep a person from signing in", async () => {
  const account = await signUp();
  const cookie = await signInByCookie(app, account);
  await call("POST", "/api/auth/logout", { headers: { cookie, ...SAME_ORIGIN } });
  const { email, password } = account;
  const answer = await login(app, { email, password, mode: "cookie" }, { cookie, ...SAME_ORIGIN });
  expect(answer.status).toBe(200);
  expect(cookiesOf(answer)).toContain("__Host-session=");
});

describe("what is no cookie of ours opens nothing", () => {
  test.each<[what: string, spell: (value: string) => string, status: number]>([
    ["as it was set", (value) => `__Host-session=${value}`, 200],
    ["among others", (value) => `a=b; __Host-session=${value}; c=d`, 200],
    ["another spelling of its name", (value) => `__host-session=${value}`, 401],
    ["without the prefix", (value) => `session=${value}`, 401],
    ["another prefix", (value) => `__Secure-session=${value}`, 401],
    ["in quotes", (value) => `__Host-session="${value}"`, 401],
    ["twice", (value) => `__Host-session=${value}; __Host-session=${value}`, 401],
    ["beside a planted one", (value) => `__Host-session=x; __Host-session=${value}`, 401],
    ["shortened", (value) => `__Host-session=${value.slice(1)}`, 401],
    ["empty", () => "__Host-session=", 401],
    ["the device's", (value) => `__Host-device=${value}`, 401],
  ])("%s: %s", async (_what, spell, status) => {
    const cookie = await signInByCookie(app, await signUp());
    const value = /__Host-session=([^;]+)/.exec(cookie)?.[1] ?? "";
    const answer = await call("GET", "/api/auth/me", { headers: { cookie: spell(value) } });
    expect(answer.status).toBe(status);
  });
});

test("its id is not the cookie: the session's id opens nothing, as a cookie or in a token's place", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const me = await call("GET", "/api/auth/me", { headers: { cookie } });
  const { sessionId, id } = dataOf<{ sessionId: string; id: string }>(me);
  const planted = { cookie: `__Host-session=${sessionId}` };
  expect((await call("GET", "/api/auth/me", { headers: planted })).status).toBe(401);
  const expiresAt = app.clock.now() + 60_000;
  const token = await app.bulwark.tokens.generateToken({ userId: id, sessionId, expiresAt });
  expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
});

test("a cookie beside a token is ambiguous", async () => {
  const account = await signUp();
  const cookie = await signInByCookie(app, account);
  const answer = await call("GET", "/api/auth/me", { token: account.token, headers: { cookie } });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe("INVALID_REQUEST");
});

describe("a request with cookies from elsewhere is refused before anything is done", () => {
  test.each<[what: string, headers: Record<string, string>, status: number]>([
    ["this origin", SAME_ORIGIN, 200],
    ["this origin, by Origin alone", { origin: `http://localhost:${app.port}` }, 200],
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }, 403],
    ["a sibling", { "sec-fetch-site": "same-site" }, 403],
    ["another port", { origin: `http://localhost:${app.port + 1}` }, 403],
    ["https in the place of http", { origin: `https://localhost:${app.port}` }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["a program that says nothing", {}, 403],
    ["a wrong CSRF token", { "x-csrf-token": "x" }, 403],
  ])("from %s", async (_what, headers, status) => {
    const account = await signUp();
    const cookie = await signInByCookie(app, account);
    const answer = await call("POST", "/api/products", {
      headers: { cookie, ...headers },
      body: { name: "Lamp", price: 1, category: "home" },
    });
    expect(answer.status).toBe(status === 200 ? 201 : status);
    if (status === 403) expect(answer.json["code"]).toBe("CSRF_REJECTED");
    const { email, password } = account;
    const again = await login(app, { email, password, mode: "cookie" }, headers);
    expect(again.status).toBe(status);
    expect(again.headers.getSetCookie()).toHaveLength(status === 200 ? 2 : 0);
  });

  test("reading is not", async () => {
    const cookie = await signInByCookie(app, await signUp());
    const headers = { cookie, "sec-fetch-site": "cross-site" };
    expect((await call("GET", "/api/auth/me", { headers })).status).toBe(200);
  });

  test("a token of the session stands in for the browser's word, in this session alone", async () => {
    const cookie = await signInByCookie(app, await signUp());
    const other = await signInByCookie(app, await signUp());
    const tokenOf = async (of: string): Promise<string> =>
      dataOf<{ token: string }>(await call("GET", "/api/auth/csrf", { headers: { cookie: of } }))
        .token;
    const logout = (token: string) =>
      call("POST", "/api/auth/logout", { headers: { cookie, "x-csrf-token": token } });
    expect((await logout(await tokenOf(other))).status).toBe(403);
    expect((await logout(await tokenOf(cookie))).status).toBe(200);
  });

  test("a session that is carried by tokens has no CSRF token", async () => {
    const { token } = await signUp();
    expect((await call("GET", "/api/auth/csrf", { token })).status).toBe(400);
  });
});
