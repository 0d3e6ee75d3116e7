import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRouter, type Router } from "../../../src/core/index.ts";
import { loadOidc } from "../../../src/server/load-oidc.ts";
import { type Account, type Answer, type TestApp, testApp } from "../../support/app.ts";
import type { Login, OidcServer } from "../../support/oidc-server.ts";
import { CLIENT_SECRET, countOf, eventsOf, startServer } from "./support.ts";

let app: TestApp;
let server: OidcServer;
let router: Router;

/** The application of this worker, as `startServer` would serve it with this provider. */
beforeAll(async () => {
  app = await testApp();
  const { issuer, handlers } = app.bulwark;
  server = await startServer("one", { redirectUri: `${issuer}/api/auth/oidc/one/callback` });
  const client = { clientId: "bulwark", clientSecret: CLIENT_SECRET };
  const one = { issuer: server.issuer, ...client, mfa: { amr: ["otp"] }, displayName: "One" };
  router = createRouter(handlers.BaseAPIHandler, await loadOidc(app.bulwark, { one }));
});
afterAll(() => server.stop());
beforeEach(async () => {
  await app.reset();
  server.accounts.clear();
});

interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(
  path: string,
  { method = "GET", token, cookie, body, headers }: Call = {},
): Promise<Answer> {
  const response = await router(
    new Request(`http://localhost:${app.port}${path}`, {
      method,
      headers: {
        host: `localhost:${app.port}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
    {},
  );
  const text = await response.text();
  const json = text === "" ? {} : (JSON.parse(text) as Answer["json"]);
  return { status: response.status, headers: response.headers, text, json };
}

const cookiesOf = (answer: Answer): string =>
  answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");

/** The path of a callback, as the provider sends a browser back to it. */
async function backFrom(url: string, login: Login = { subject: "ada" }): Promise<string> {
  const { pathname, search } = await server.signIn(url, login);
  return `${pathname}${search}`;
}

async function signIn(query = "", login?: Login): Promise<Answer> {
  const started = await call(`/api/auth/oidc/one/start${query}`);
  expect(started.status).toBe(303);
  const back = await backFrom(started.headers.get("location") ?? "", login);
  return call(back, { cookie: cookiesOf(started) });
}

test("the providers are public", async () => {
  const { status, json } = await call("/api/auth/oidc");
  expect(status).toBe(200);
  expect(json["data"]).toEqual([{ name: "one", displayName: "One" }]);
});

describe("start", () => {
  test("sends a browser away with a cookie, whatever session it has, and whatever Host and proxies say", async () => {
    const answer = await call("/api/auth/oidc/one/start?mode=cookie&returnTo=/a", {
      cookie: `__Host-session=${"x".repeat(43)}`,
      headers: { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" },
    });
    expect(answer.status).toBe(303);
    expect(answer.text).toBe("");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    const location = new URL(answer.headers.get("location") ?? "");
    expect(location.origin).toBe(server.issuer);
    expect(location.searchParams.get("redirect_uri")).toBe(
      `${app.bulwark.issuer}/api/auth/oidc/one/callback`,
    );
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-oidc=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
      "__Host-oidc-page=signIn; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax",
    ]);
  });

  test.each([
    "mode=other",
    "mode=token&mode=cookie",
    "fresh=1",
    "extra=1",
    // CVE-2022-31093.
    "returnTo=/a&returnTo=/b",
    "returnTo[]=/a",
    "returnTo=//evil.example",
    "returnTo=/%5Cevil.example",
    "returnTo=%5C%5Cevil.example",
    "returnTo=%09//evil.example",
    "returnTo=javascript:alert(1)",
    "returnTo=https://evil.example",
    "returnTo=a",
    "returnTo=",
  ])("is refused with %s", async (query) => {
    const answer = await call(`/api/auth/oidc/one/start?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json["code"]).toBe("VALIDATION_ERROR");
    expect(answer.headers.get("location")).toBeNull();
    expect(await countOf("one_time_tokens")).toBe(0);
  });

  test("at a provider that is not there is 404", async () => {
    expect((await call("/api/auth/oidc/two/start")).status).toBe(404);
  });

  test("at a provider that is down is 502, and says nothing of it", async () => {
    await server.stop();
    const { status, json } = await call("/api/auth/oidc/one/start");
    await server.start();
    expect(status).toBe(502);
    expect(json).toMatchObject({
      code: "EXTERNAL_SERVICE_ERROR",
      error: "A service that this request needs failed.",
    });
  });
});

describe("callback", () => {
  test("in token mode answers the tokens as a body, which then work, and puts nothing in a URL or a cookie", async () => {
    const answer = await signIn();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("location")).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-oidc=; Max-Age=0;/),
    ]);
    const { accessToken, user } = answer.json["data"] as { accessToken: string; user: unknown };
    expect(user).toMatchObject({ email: "ada@people.example", roles: ["user"] });
    const me = await app.call("GET", "/api/auth/me", { token: accessToken });
    expect(me.json["data"]).toMatchObject({ methods: [{ method: "oidc" }] });
  });

  test("in cookie mode sets the cookies, and goes to the path that was asked for", async () => {
    const answer = await signIn("?mode=cookie&returnTo=/a?b=c%23d");
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe("/a?b=c#d");
    expect(answer.text).toBe("");
    const session = answer.headers
      .getSetCookie()
      .find((line) => line.startsWith("__Host-session="));
    expect(session).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const me = await app.call("GET", "/api/auth/me", {
      headers: { cookie: session?.split(";")[0] ?? "" },
    });
    expect(me.status).toBe(200);
  });

  test("goes home where no path was asked for", async () => {
    expect((await signIn("?mode=cookie")).headers.get("location")).toBe("/");
  });

  test("of nothing that began here is 400, and reflects nothing", async () => {
    const query = "?error=%3Cscript%3E&error_description=%3Cscript%3E&state=%3Cscript%3E";
    const answer = await call(`/api/auth/oidc/one/callback${query}`);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain("script");
  });

  test("that was cancelled is 403, and reflects nothing", async () => {
    const answer = await signIn("", { subject: "ada", deny: "<script>" });
    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain("script");
  });

  test("of an address that has an account is 409", async () => {
    const { email } = await app.signUp();
    server.accounts.set("mallory", { email });
    expect((await signIn("", { subject: "mallory" })).status).toBe(409);
  });

  test("of a disabled account is refused, also with a second factor", async () => {
    await signIn();
    await app.query(sql`UPDATE bulwark.users SET disabled_at = now()`);
    for (const amr of [[], ["otp"]]) {
      const answer = await signIn("", { subject: "ada", amr });
      expect([answer.status, answer.json["code"]]).toEqual([401, "INVALID_CREDENTIALS"]);
    }
    const failed = await eventsOf("auth.login.failed");
    expect(failed.map(({ metadata }) => metadata)).toEqual(
      Array(2).fill({ known: true, method: "oidc" }),
    );
  });
});

describe("a callback that is refused, in cookie mode", () => {
  const cancelled = { subject: "ada", deny: "<script>" };

  async function begun(query = "?mode=cookie"): Promise<{ url: string; cookie: string }> {
    const started = await call(`/api/auth/oidc/one/start${query}`);
    return { url: started.headers.get("location") ?? "", cookie: cookiesOf(started) };
  }
  const shown = (answer: Answer): unknown[] => [answer.status, answer.headers.get("location")];

  test("goes to the sign-in with a code, and both cookies are gone", async () => {
    const answer = await signIn("?mode=cookie&returnTo=/a", cancelled);
    expect(shown(answer)).toEqual([303, "/auth/login#error=refused"]);
    expect(answer.text).toBe("");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.getSetCookie().map((line) => line.split(";")[0])).toEqual([
      "__Host-oidc-page=",
      "__Host-oidc=",
    ]);
  });

  test.each<[code: string, change: (back: URL) => string]>([
    ["over", () => "/api/auth/oidc/one/callback"],
    ["over", () => `/api/auth/oidc/one/callback?state=${"s".repeat(43)}`],
    ["over", ({ pathname, search }) => `${pathname}${search}&iss=https://evil.example`],
    ["over", ({ pathname, search }) => `${pathname}${search.replace(/code=[^&]+/, "code=x")}`],
    [
      "unavailable",
      ({ pathname, searchParams }) =>
        `${pathname}?error=server_error&state=${searchParams.get("state")}&iss=${searchParams.get("iss")}`,
    ],
  ])("says %s where the answer is none (%#)", async (code, change) => {
    const { url, cookie } = await begun();
    const back = change(await server.signIn(url, { subject: "ada" }));
    expect(shown(await call(back, { cookie }))).toEqual([303, `/auth/login#error=${code}`]);
    expect(await countOf("users")).toBe(0);
  });

  test("a sign-in that took too long is told on the page too", async () => {
    const { url, cookie } = await begun();
    const back = await backFrom(url);
    app.clock.advance(600_000);
    expect(shown(await call(back, { cookie }))).toEqual([303, "/auth/login#error=over"]);
  });

  test("says that an address is taken, and no more of a disabled account than of a bad answer", async () => {
    const { email } = await app.signUp();
    server.accounts.set("mallory", { email });
    const taken = await signIn("?mode=cookie", { subject: "mallory" });
    expect(shown(taken)).toEqual([303, "/auth/login#error=taken"]);
    await signIn();
    await app.query(sql`UPDATE bulwark.users SET disabled_at = now()`);
    const refused = await signIn("?mode=cookie");
    expect(shown(refused)).toEqual([303, "/auth/login#error=not-proved"]);
  });

  test("a provider that is down is in the log", async () => {
    const { url, cookie } = await begun();
    const { pathname, searchParams } = await server.signIn(url, { subject: "ada" });
    const state = searchParams.get("state");
    const query = `?error=server_error&state=${state}&iss=${searchParams.get("iss")}`;
    await call(`${pathname}${query}`, { cookie });
    expect(app.log.join("")).toContain("a provider failed");
  });

  test("a link that was refused goes to the account", async () => {
    const account = await app.signUp();
    const origin = { "sec-fetch-site": "same-origin" };
    const { email, password } = account;
    const signedIn = await app.call("POST", "/api/auth/login", {
      body: { email, password, mode: "cookie" },
      headers: origin,
    });
    const session = cookiesOf(signedIn);
    const path = "/api/auth/oidc/one/link";
    const asked = await call(path, { method: "POST", body: {}, cookie: session, headers: origin });
    const { url } = asked.json["data"] as { url: string };
    const cookie = `${session}; ${cookiesOf(asked)}`;
    const answer = await call(await backFrom(url, cancelled), { cookie });
    expect(shown(answer)).toEqual([303, "/auth/account#error=refused"]);
  });

  test.each([
    ["no such cookie", ""],
    ["one of another value", "__Host-oidc-page=//evil.example"],
    ["one with the name of what every object has", "__Host-oidc-page=constructor"],
    ["one that comes twice", "__Host-oidc-page=signIn; __Host-oidc-page=account"],
  ])("is JSON with %s", async (_what, cookie) => {
    const answer = await call("/api/auth/oidc/one/callback?state=x", { cookie });
    expect([answer.status, answer.json["code"]]).toEqual([400, "INVALID_REQUEST"]);
  });

  test("is JSON in token mode, also after a sign-in by cookies was begun and left", async () => {
    const left = await begun();
    const started = await call("/api/auth/oidc/one/start", { cookie: left.cookie });
    expect(started.headers.getSetCookie()).toContainEqual(
      expect.stringMatching(/^__Host-oidc-page=; Max-Age=0;/),
    );
    const answer = await call(await backFrom(started.headers.get("location") ?? "", cancelled), {
      cookie: cookiesOf(started),
    });
    expect([answer.status, answer.json["code"]]).toEqual([403, "FORBIDDEN"]);
  });

  test("at a provider that is not there is 404", async () => {
    const { cookie } = await begun();
    expect((await call("/api/auth/oidc/two/callback", { cookie })).status).toBe(404);
  });
});

describe("an account with a second factor of ours", () => {
  beforeEach(async () => {
    await signIn();
    await app.query(sql`
      INSERT INTO bulwark.totp_credentials (user_id, secret_sealed, created_at, confirmed_at)
      SELECT id, 'sealed', now(), now() FROM bulwark.users`);
  });

  // GHSA-xg6x-h9c9-2m83: nothing that authenticates before the second factor.
  test("is asked for it, and has no session", async () => {
    const before = (await app.query(sql`SELECT id FROM bulwark.sessions`)).length;
    const answer = await signIn();
    expect(Object.keys(answer.json["data"] as object).sort()).toEqual([
      "challengeToken",
      "methods",
      "mfaRequired",
    ]);
    const cookie = await signIn("?mode=cookie");
    expect(cookie.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-oidc-page=; Max-Age=0;/),
      expect.stringMatching(/^__Host-oidc=; Max-Age=0;/),
    ]);
    expect(await app.query(sql`SELECT id FROM bulwark.sessions`)).toHaveLength(before);
  });

  test("is asked on a page of ours in cookie mode, with the challenge in the fragment", async () => {
    const location = (await signIn("?mode=cookie&returnTo=/a")).headers.get("location");
    const { pathname, search, hash } = new URL(location ?? "", app.bulwark.issuer);
    expect([pathname, search]).toEqual(["/auth/login", ""]);
    expect(Object.fromEntries(new URLSearchParams(hash.slice(1)))).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      methods: "totp",
      returnTo: "/a",
    });
  });

  test("is not, where the provider proves what was configured", async () => {
    const answer = await signIn("", { subject: "ada", amr: ["pwd", "otp"] });
    expect(answer.json["data"]).toHaveProperty("accessToken");
  });
});

describe("linking", () => {
  let ada: Account;
  beforeEach(async () => {
    ada = await app.signUp();
  });

  const begin = (call_: Call = { token: ada.token }): Promise<Answer> =>
    call("/api/auth/oidc/one/link", { method: "POST", body: {}, ...call_ });

  test("needs a session", async () => {
    expect((await begin({})).status).toBe(401);
  });

  test("needs a recent factor", async () => {
    app.clock.advance(10 * 60_000);
    const answer = await begin();
    expect([answer.status, answer.json["code"]]).toEqual([401, "REAUTHENTICATION_REQUIRED"]);
    expect(answer.headers.get("www-authenticate")).toContain("insufficient_user_authentication");
  });

  test("links, lists and unlinks", async () => {
    const begun = await begin();
    const { url } = begun.json["data"] as { url: string };
    const login = { subject: "elsewhere" };
    const linked = await call(await backFrom(url, login), { cookie: cookiesOf(begun) });
    expect(linked.json["data"]).toEqual({ linked: true });
    expect((await signIn("", login)).json["data"]).toMatchObject({ user: { id: ada.id } });

    const { token } = ada;
    const list = await call("/api/auth/identities", { token });
    expect(list.json["data"]).toEqual([
      {
        id: expect.any(String),
        provider: "one",
        createdAt: expect.any(String),
        lastUsedAt: expect.any(String),
      },
    ]);
    const [{ id }] = list.json["data"] as [{ id: string }];
    const ben = await app.signUp();
    const path = `/api/auth/identities/${id}`;
    expect((await call(path, { method: "DELETE", token: ben.token })).status).toBe(404);
    expect((await call(path, { method: "DELETE", token })).status).toBe(200);
    expect((await call(path, { method: "DELETE", token })).status).toBe(404);
  });

  test("is told to the owner by mail", async () => {
    const begun = await begin();
    const { url } = begun.json["data"] as { url: string };
    await call(await backFrom(url), { cookie: cookiesOf(begun) });
    const mails = await app.query(sql`SELECT attempts FROM bulwark.mail_outbox`);
    expect(mails).toHaveLength(1);
  });

  test("refuses a path that leaves the site, before anything begins", async () => {
    const answer = await begin({ token: ada.token, body: { returnTo: "//evil.example" } });
    expect(answer.status).toBe(400);
    expect(await countOf("one_time_tokens")).toBe(0);
  });
});
