import { beforeEach, describe, expect, test } from "vitest";
import { type Answer, dataOf, testApp } from "../../support/app.ts";
import { type Tokens, withTotp } from "./support.ts";

const app = await testApp();
const { call, clock, reset, signUp } = app;
beforeEach(reset);

const NOBODY = "0190a0b0-0000-7000-8000-000000000000";
const CREDENTIAL = { credential: { id: "x", type: "public-key" } };

/** What needs a recent factor; "strongest" is the second one where the account has it, "any" is also the password. */
const ROUTES: readonly (readonly [
  method: string,
  path: string,
  body: object | undefined,
  factor: "strongest" | "any",
])[] = [
  ["POST", "/api/auth/email/change", { email: "new@example.com" }, "strongest"],
  ["POST", "/api/auth/mfa/totp/enroll", {}, "strongest"],
  ["POST", "/api/auth/mfa/totp/confirm", { code: "000000" }, "strongest"],
  ["DELETE", "/api/auth/mfa/totp", undefined, "strongest"],
  ["POST", "/api/auth/mfa/recovery-codes", {}, "strongest"],
  ["POST", "/api/auth/passkeys/register/options", {}, "strongest"],
  ["POST", "/api/auth/passkeys/register/verify", CREDENTIAL, "strongest"],
  ["DELETE", `/api/auth/passkeys/${NOBODY}`, undefined, "strongest"],
  ["DELETE", "/api/auth/me", undefined, "strongest"],
  ["POST", "/api/auth/me/export", undefined, "strongest"],
  ["DELETE", `/api/auth/sessions/${NOBODY}`, undefined, "any"],
  ["DELETE", "/api/auth/sessions", undefined, "any"],
];

const isRefused = ({ status, json }: Answer): boolean =>
  status === 401 && json["code"] === "REAUTHENTICATION_REQUIRED";
const stepUp = (token: string, body: object): Promise<Answer> =>
  call("POST", "/api/auth/step-up", { token, body });

describe("ten minutes after the sign-in", () => {
  test.each(ROUTES)("%s %s asks for a factor again, and passes with it", async (...route) => {
    const [method, path, body] = route;
    const { token, password } = await signUp();
    clock.advance(10 * 60_000);
    const late = await call(method, path, { token, body });
    expect(isRefused(late)).toBe(true);
    expect(late.headers.get("www-authenticate")).toMatch(
      /^Bearer error="insufficient_user_authentication".*max_age=600/,
    );
    const wrong = await stepUp(token, { password: "wrong" });
    expect(wrong.status).toBe(401);
    expect(isRefused(await call(method, path, { token, body }))).toBe(true);
    const stepped = await stepUp(token, { password });
    expect(stepped.status).toBe(200);
    const renewed = dataOf<Tokens>(stepped).accessToken;
    const passed = await call(method, path, { token: renewed, body });
    expect([isRefused(passed), passed.status >= 500]).toEqual([false, false]);
    // With what came instead: done, not there, or a code that is wrong.
    expect([200, 202, 204, 400, 401, 404, 409]).toContain(passed.status);
  });

  test("a change of the password asks for the present one instead", async () => {
    const { token, password } = await signUp();
    clock.advance(10 * 60_000);
    const change = (currentPassword: string) =>
      call("POST", "/api/auth/password/change", {
        token,
        body: { currentPassword, newPassword: "another rather long one" },
      });
    const wrong = await change("wrong");
    expect([wrong.status, wrong.json["code"]]).toEqual([401, "INVALID_CREDENTIALS"]);
    expect((await change(password)).status).toBe(200);
  });
});

describe("where a second factor is set up", () => {
  test.each(ROUTES)("%s %s: whether the password alone is enough", async (...route) => {
    const [method, path, body, factor] = route;
    const account = await withTotp(app);
    clock.advance(10 * 60_000);
    const byPassword = await stepUp(account.token, { password: account.password });
    expect(byPassword.status).toBe(200);
    const { accessToken } = dataOf<Tokens>(byPassword);
    const answer = await call(method, path, { token: accessToken, body });
    expect(isRefused(answer)).toBe(factor === "strongest");
    if (factor === "any") return;
    const byCode = await stepUp(accessToken, { method: "totp", code: account.code() });
    expect(byCode.status).toBe(200);
    const token = dataOf<Tokens>(byCode).accessToken;
    expect(isRefused(await call(method, path, { token, body }))).toBe(false);
  });
});

test("a recovery code steps up once", async () => {
  const account = await withTotp(app);
  clock.advance(10 * 60_000);
  const body = { method: "recovery", code: account.recoveryCodes[0] };
  const stepped = await stepUp(account.token, body);
  expect(stepped.status).toBe(200);
  expect((await stepUp(dataOf<Tokens>(stepped).accessToken, body)).status).toBe(401);
});

test("a refresh proves nothing: the time of the sign-in stands", async () => {
  const { email, password } = await signUp();
  const signedIn = await call("POST", "/api/auth/login", { body: { email, password } });
  clock.advance(10 * 60_000);
  const { refreshToken } = dataOf<Tokens>(signedIn);
  const refreshed = await call("POST", "/api/auth/refresh", { body: { refreshToken } });
  const token = dataOf<Tokens>(refreshed).accessToken;
  expect((await call("GET", "/api/auth/me", { token })).status).toBe(200);
  expect(isRefused(await call("POST", "/api/auth/me/export", { token }))).toBe(true);
});
