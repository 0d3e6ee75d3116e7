import { beforeEach, describe, expect, test } from "vitest";
import { createRouter } from "../../../src/core/index.ts";
import { withCSRFProtection } from "../../../src/csrf/index.ts";
import { dataOf, testApp } from "../../support/app.ts";
import { SAME_ORIGIN, signInByCookie } from "../auth/support.ts";

const app = await testApp();
const { bulwark, call, port, reset, signUp } = app;
beforeEach(reset);

const { AuthenticatedAPIHandler, SignInHandler } = bulwark.handlers;
const router = createRouter(AuthenticatedAPIHandler, [
  AuthenticatedAPIHandler.POST(
    withCSRFProtection(() => "done"),
    { path: "/transfer", requireAuth: true },
  ),
  AuthenticatedAPIHandler.GET(
    withCSRFProtection(() => "done"),
    { path: "/transfer", requireAuth: true },
  ),
  SignInHandler.POST(
    withCSRFProtection(() => "done"),
    { path: "/open", requireAuth: false },
  ),
]);

const send = async (headers: Record<string, string>, method = "POST", path = "/transfer") => {
  const url = `http://localhost:${port}${path}`;
  const answer = await router(new Request(url, { method, headers }), {});
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
};

const tokenOf = async (cookie: string): Promise<string> =>
  dataOf<{ token: string }>(await call("GET", "/api/auth/csrf", { headers: { cookie } })).token;

describe("a route that demands a token", () => {
  test("takes it from a page of ours, and not the page's word alone", async () => {
    const cookie = await signInByCookie(app, await signUp());
    const headers = { cookie, ...SAME_ORIGIN };
    const without = await send(headers);
    expect([without.status, without.json["code"]]).toEqual([403, "CSRF_REJECTED"]);
    expect((await send({ ...headers, "x-csrf-token": await tokenOf(cookie) })).status).toBe(200);
  });

  test("takes no other session's, no older one's, and none that was changed", async () => {
    const account = await signUp();
    const cookie = await signInByCookie(app, account);
    const token = await tokenOf(cookie);
    const other = await tokenOf(await signInByCookie(app, await signUp()));
    const again = await tokenOf(await signInByCookie(app, account));
    for (const wrong of [
      other,
      again,
      `${token}A`,
      token.slice(1),
      token.toUpperCase(),
      "",
      "null",
    ]) {
      const answer = await send({ cookie, ...SAME_ORIGIN, "x-csrf-token": wrong });
      expect([answer.status, answer.json["code"]], wrong).toEqual([403, "CSRF_REJECTED"]);
    }
  });

  test("a token is no way in from another site", async () => {
    const cookie = await signInByCookie(app, await signUp());
    const answer = await send({
      cookie,
      "sec-fetch-site": "cross-site",
      origin: "https://evil.example",
      "x-csrf-token": await tokenOf(cookie),
    });
    expect(answer.status).toBe(403);
  });

  test("a token of a session that ended opens nothing", async () => {
    const cookie = await signInByCookie(app, await signUp());
    const token = await tokenOf(cookie);
    await call("POST", "/api/auth/logout", { headers: { cookie, ...SAME_ORIGIN } });
    const answer = await send({ cookie, ...SAME_ORIGIN, "x-csrf-token": token });
    expect(answer.status).toBe(401);
  });

  test("asks neither those who read, nor those who carry no cookie of ours", async () => {
    const account = await signUp();
    const cookie = await signInByCookie(app, account);
    expect((await send({ cookie }, "GET")).status).toBe(200);
    expect((await send({ authorization: `Bearer ${account.token}` })).status).toBe(200);
    expect((await send({}, "POST", "/open")).status).toBe(200);
    expect((await send({ cookie, ...SAME_ORIGIN }, "POST", "/open")).status).toBe(403);
  });
});

// BREACH: a secret that an answer repeats can be guessed from the length of what is compressed.
test("a session's token is another text in every answer, and all of them are good", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(cookie)));
  expect(new Set(tokens).size).toBe(20);
  const value = /__Host-session=([^;]+)/.exec(cookie)?.[1] ?? "";
  expect(tokens.join()).not.toContain(value);
  for (const token of tokens) {
    expect((await send({ cookie, ...SAME_ORIGIN, "x-csrf-token": token })).status).toBe(200);
  }
});
