import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { totpCode } from "../../../src/auth/index.ts";
import { dataOf, testApp } from "../../support/app.ts";
import {
  challengeOf,
  cookiesOf,
  countOf,
  fromBase32,
  login,
  SAME_ORIGIN,
  type Tokens,
  withTotp,
} from "../../system/auth/support.ts";

const app = await testApp();
const { call, dump, query, reset, signUp } = app;
beforeEach(reset);

const answer = (challengeToken: string, code: string, method = "totp", headers = {}) =>
  call("POST", "/api/auth/mfa/challenge", { body: { challengeToken, method, code }, headers });

// GHSA-2m83: a session was valid before the second factor.
test("nothing of the half-way step opens anything", async () => {
  const account = await withTotp(app);
  account.next();
  const { email, password } = account;
  for (const mode of ["token", "cookie"]) {
    const half = await login(app, { email, password, mode }, SAME_ORIGIN);
    expect(Object.keys(dataOf<object>(half)).sort()).toEqual([
      "challengeToken",
      "methods",
      "mfaRequired",
    ]);
    expect(half.headers.getSetCookie()).toEqual([]);
    const token = dataOf<{ challengeToken: string }>(half).challengeToken;
    expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
    const cookie = `__Host-session=${token}`;
    expect((await call("GET", "/api/auth/me", { headers: { cookie } })).status).toBe(401);
    const refreshed = await call("POST", "/api/auth/refresh", { body: { refreshToken: token } });
    expect(refreshed.status).toBe(401);
  }
});

test("with the code it is a sign-in, in the mode that was asked for", async () => {
  const account = await withTotp(app);
  account.next();
  const tokens = await answer(await challengeOf(app, account), account.code());
  expect(tokens.status).toBe(200);
  const me = await call("GET", "/api/auth/me", { token: dataOf<Tokens>(tokens).accessToken });
  const methods = dataOf<{ methods: { method: string }[] }>(me).methods;
  expect(methods.map(({ method }) => method)).toEqual(["pwd", "otp"]);

  account.next();
  const { email, password } = account;
  const half = await login(app, { email, password, mode: "cookie" }, SAME_ORIGIN);
  const { challengeToken } = dataOf<{ challengeToken: string }>(half);
  const code = account.code();
  const foreign = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  expect((await answer(challengeToken, code, "totp", foreign)).status).toBe(403);
  const whole = await answer(challengeToken, code, "totp", SAME_ORIGIN);
  expect(whole.status).toBe(200);
  expect(Object.keys(dataOf<object>(whole))).toEqual(["user"]);
  expect(cookiesOf(whole)).toContain("__Host-session=");
});

test("a wrong code leaves the challenge good, and a right one uses it up", async () => {
  const account = await withTotp(app);
  account.next();
  const token = await challengeOf(app, account);
  expect((await answer(token, "000000")).status).toBe(401);
  expect((await answer(token, account.code())).status).toBe(200);
  account.next();
  expect((await answer(token, account.code())).status).toBe(401);
});

test("a challenge ends after ten minutes", async () => {
  const account = await withTotp(app);
  const token = await challengeOf(app, account);
  app.clock.advance(10 * 60_000);
  expect((await answer(token, account.code())).status).toBe(401);
});

// RFC 6238 section 5.2: a code was accepted twice.
describe("a code works once", () => {
  test("the confirming one is used up", async () => {
    const account = await withTotp(app);
    expect((await answer(await challengeOf(app, account), account.code())).status).toBe(401);
  });

  test("not for a second sign-in, nor for a step-up", async () => {
    const account = await withTotp(app);
    account.next();
    const code = account.code();
    const first = await answer(await challengeOf(app, account), code);
    expect(first.status).toBe(200);
    expect((await answer(await challengeOf(app, account), code)).status).toBe(401);
    const token = dataOf<Tokens>(first).accessToken;
    const body = { method: "totp", code };
    expect((await call("POST", "/api/auth/step-up", { token, body })).status).toBe(401);
  });

  test("nor an older one after a newer", async () => {
    const account = await withTotp(app);
    account.next();
    const older = account.code();
    account.next();
    expect((await answer(await challengeOf(app, account), account.code())).status).toBe(200);
    expect((await answer(await challengeOf(app, account), older)).status).toBe(401);
  });

  test("of five who send it at once, one gets in", async () => {
    const account = await withTotp(app);
    account.next();
    const tokens = await Promise.all(Array.from({ length: 5 }, () => challengeOf(app, account)));
    const before = await countOf(app, "sessions");
    const answers = await Promise.all(tokens.map((token) => answer(token, account.code())));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await countOf(app, "sessions")).toBe(before + 1);
  });

  test("one challenge and one recovery code, five times at once: one session", async () => {
    const account = await withTotp(app);
    const token = await challengeOf(app, account);
    const [code = ""] = account.recoveryCodes;
    const before = await countOf(app, "sessions");
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => answer(token, code.toLowerCase(), "recovery")),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await countOf(app, "sessions")).toBe(before + 1);
    expect((await answer(await challengeOf(app, account), code, "recovery")).status).toBe(401);
  });
});

test("another's recovery code opens nothing", async () => {
  const [one, other] = [await withTotp(app), await withTotp(app)];
  const [code = ""] = other.recoveryCodes;
  expect((await answer(await challengeOf(app, one), code, "recovery")).status).toBe(401);
});

test("a secret that was never confirmed neither demands nor admits", async () => {
  const { token, email, password } = await signUp();
  await call("POST", "/api/auth/mfa/totp/enroll", { token, body: {} });
  const answered = await login(app, { email, password });
  expect(dataOf<Tokens>(answered).accessToken).toEqual(expect.any(String));
});

test("a confirmed app is not replaced by another enrolment", async () => {
  const { token } = await withTotp(app);
  const again = await call("POST", "/api/auth/mfa/totp/enroll", { token, body: {} });
  expect(again.status).toBe(409);
});

// GHSA-2vg6: a change of factors left sessions behind.
test("setting up a factor ends all other sessions, and renews this one under a new id", async () => {
  const { email, password, token, id } = await signUp();
  const other = dataOf<Tokens>(await login(app, { email, password }));
  const enrolled = await call("POST", "/api/auth/mfa/totp/enroll", { token, body: {} });
  const { secret } = dataOf<{ secret: string }>(enrolled);
  const body = { code: totpCode(fromBase32(secret), Math.floor(app.clock.now() / 30_000)) };
  const confirmed = await call("POST", "/api/auth/mfa/totp/confirm", { token, body });
  expect(confirmed.status).toBe(200);
  const renewed = dataOf<Tokens>(confirmed).accessToken;
  const statuses = await Promise.all(
    [token, other.accessToken, renewed].map(
      async (one) => (await call("GET", "/api/auth/me", { token: one })).status,
    ),
  );
  expect(statuses).toEqual([401, 401, 200]);
  const rows = await query(sql`SELECT id FROM bulwark.sessions WHERE user_id = ${id}`);
  expect(rows).toHaveLength(1);
});

test("a half sign-in does not outlive a change of the password", async () => {
  const account = await withTotp(app);
  const token = await challengeOf(app, account);
  account.next();
  const stepped = await call("POST", "/api/auth/step-up", {
    token: account.token,
    body: { method: "totp", code: account.code() },
  });
  expect(stepped.status).toBe(200);
  const body = { currentPassword: account.password, newPassword: "another long password" };
  const changed = await call("POST", "/api/auth/password/change", {
    token: dataOf<Tokens>(stepped).accessToken,
    body,
  });
  expect(changed.status).toBe(200);
  account.next();
  expect((await answer(token, account.code())).status).toBe(401);
});

test("nothing that proves a factor stands in the database", async () => {
  const account = await withTotp(app);
  account.next();
  const challenge = await challengeOf(app, account);
  const stored = await dump();
  for (const secret of [challenge, ...account.recoveryCodes]) {
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(secret.replaceAll("-", ""));
  }
});
