import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, dataOf, PASSWORD, startApp } from "../../support/app.ts";
import {
  cookiesOf,
  countOf,
  login,
  mailTo,
  ownDatabase,
  SAME_ORIGIN,
  type Tokens,
  tokenOf,
  withTotp,
} from "./support.ts";

const app = await startApp({
  ...(await ownDatabase()),
  emailVerification: "required",
  auth: { magicLink: true },
});
const { call, clock, dump, query, reset, signUp } = app;
beforeEach(reset);
afterAll(app.close);

const ADA = { email: "ada@example.com", password: PASSWORD, name: "Ada" };
const register = (body: object = ADA): Promise<Answer> =>
  call("POST", "/api/auth/register", { body });
const post = (
  path: string,
  body: object,
  cookie?: string,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  call("POST", path, {
    body,
    headers: { ...headers, ...(cookie === undefined ? {} : { cookie }) },
  });
const verify = (token: string, cookie?: string): Promise<Answer> =>
  post("/api/auth/email/verify", { token }, cookie);
const shapeOf = ({ status, json, headers }: Answer): string => {
  const { success, data, message } = json;
  const names = [...headers.keys()].filter((name) => !/^(date|x-ratelimit)/.test(name));
  return JSON.stringify([status, success, data, message, names]);
};

describe("registration, where the mailbox must be proved", () => {
  test("gives no session before, and one after, in the browser that registered", async () => {
    const registered = await register();
    expect(registered.status).toBe(202);
    expect(dataOf(registered)).toBeNull();
    expect((await login(app, credentials(ADA))).json["code"]).toBe("INVALID_CREDENTIALS");
    const mail = await mailTo(app, ADA.email, "verify");
    expect(mail.links[0]).toMatch(/^http:\/\/localhost:\d+\/auth\/verify#[\w-]{43}$/);
    const verified = await verify(tokenOf(mail), cookiesOf(registered));
    expect(verified.json["data"]).toEqual({ verified: true, passwordRequired: false });
    expect((await login(app, { email: ADA.email, password: PASSWORD })).status).toBe(200);
  });

  test("says the same of a free, a pending and a taken address", async () => {
    const taken = await signUp();
    await register({ ...ADA, email: "pending@example.com" });
    await mailTo(app, "pending@example.com", "verify");
    const answers = [];
    for (const email of ["free@example.com", "pending@example.com", taken.email]) {
      answers.push(await register({ ...ADA, email }));
    }
    expect(new Set(answers.map(shapeOf)).size).toBe(1);
    const mail = await mailTo(app, taken.email, "address-taken");
    expect(mail.text).not.toContain("#");
    expect(await countOf(app, "users")).toBe(3);
    expect((await login(app, credentials(taken))).status).toBe(200);
  });

  test("from another browser the password does not count: a stranger may have chosen it", async () => {
    await register();
    const mail = await mailTo(app, ADA.email, "verify");
    const verified = await verify(tokenOf(mail), "__Host-browser=another");
    expect(verified.json["data"]).toEqual({ verified: true, passwordRequired: true });
    expect((await login(app, credentials(ADA))).status).toBe(401);
    await post("/api/auth/password/forgot", { email: ADA.email });
    const token = tokenOf(await mailTo(app, ADA.email, "reset"));
    const password = "the owner's own password";
    expect((await post("/api/auth/password/reset", { token, password })).status).toBe(200);
    expect((await login(app, { email: ADA.email, password })).status).toBe(200);
  });

  test("asking for the mail again does not bind the account to who asks", async () => {
    await register();
    const first = tokenOf(await mailTo(app, ADA.email, "verify"));
    app.bulwark.mailbox?.clear();
    const resent = await post("/api/auth/email/resend", { email: ADA.email });
    expect(resent.status).toBe(202);
    const second = tokenOf(await mailTo(app, ADA.email, "verify"));
    expect((await verify(first)).status).toBe(404);
    const verified = await verify(second, cookiesOf(resent));
    expect(verified.json["data"]).toMatchObject({ passwordRequired: true });
  });

  test("the newest registration of a pending address stands, and the older one's link is dead", async () => {
    const older = await register();
    const first = tokenOf(await mailTo(app, ADA.email, "verify"));
    app.bulwark.mailbox?.clear();
    const password = "a newer long password";
    const newer = await register({ ...ADA, password });
    const second = tokenOf(await mailTo(app, ADA.email, "verify"));
    expect((await verify(first, cookiesOf(older))).status).toBe(404);
    expect((await verify(second, cookiesOf(newer))).status).toBe(200);
    expect((await login(app, { email: ADA.email, password })).status).toBe(200);
    expect((await login(app, { email: ADA.email, password: PASSWORD })).status).toBe(401);
  });

  test("a link is good for a day, and once, also for five at once", async () => {
    const { headers } = await register();
    expect(headers.getSetCookie()[0]).toContain("__Host-browser=");
    const token = tokenOf(await mailTo(app, ADA.email, "verify"));
    clock.advance(24 * 3_600_000);
    expect((await verify(token)).status).toBe(404);
    await reset();
    const again = await register();
    const fresh = tokenOf(await mailTo(app, ADA.email, "verify"));
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => verify(fresh, cookiesOf(again))),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200, 404, 404, 404, 404,
    ]);
  });
});

describe("a forgotten password", () => {
  test("is set anew by the mailed token: sessions and devices end, locks too, and second factors stay", async () => {
    const account = await withTotp(app);
    const device = dataOf<Tokens>(
      await post("/api/auth/mfa/challenge", {
        challengeToken: dataOf<{ challengeToken: string }>(await login(app, credentials(account)))
          .challengeToken,
        method: "recovery",
        code: account.recoveryCodes[0],
      }),
    ).deviceToken;
    for (let count = 0; count < 5; count += 1) {
      await login(app, { email: account.email, password: "wrong" });
    }
    await post("/api/auth/password/forgot", { email: account.email });
    const token = tokenOf(await mailTo(app, account.email, "reset"));
    const password = "a brand new password";
    expect((await post("/api/auth/password/reset", { token, password })).status).toBe(200);
    expect((await call("GET", "/api/auth/me", { token: account.token })).status).toBe(401);
    expect(await countOf(app, "devices")).toBe(0);
    const again = await login(app, { email: account.email, password, deviceToken: device });
    expect(dataOf<{ methods: string[] }>(again).methods).toEqual(["totp", "recovery"]);
    expect((await mailTo(app, account.email, "credential-changed")).text).toContain("password");
  });

  test("looks the same for every address", async () => {
    const { email } = await signUp();
    const answers = [];
    for (const one of [email, "nobody@example.com", "no address"]) {
      answers.push(await post("/api/auth/password/forgot", { email: one }));
    }
    expect(new Set(answers.map(shapeOf)).size).toBe(1);
    expect(answers[0]?.status).toBe(202);
  });

  test("a refused password leaves the token good; ten minutes end it; it works once", async () => {
    const { email } = await signUp();
    await post("/api/auth/password/forgot", { email });
    const token = tokenOf(await mailTo(app, email, "reset"));
    const reset = (password: string) => post("/api/auth/password/reset", { token, password });
    expect((await reset("short")).status).toBe(400);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_none, index) => reset(`a good long password ${index}`)),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200, 404, 404, 404, 404,
    ]);
    await post("/api/auth/password/forgot", { email });
    app.bulwark.mailbox?.clear();
    await post("/api/auth/password/forgot", { email });
    const late = tokenOf(await mailTo(app, email, "reset"));
    clock.advance(10 * 60_000);
    const body = { token: late, password: "a good long password" };
    expect((await post("/api/auth/password/reset", body)).status).toBe(404);
  });

  test("one mailbox gets five mails an hour, whoever asks", async () => {
    const { email } = await signUp();
    for (let count = 0; count < 8; count += 1) {
      await post("/api/auth/password/forgot", { email });
    }
    await mailTo(app, email, "reset");
    await app.bulwark.outbox.flush();
    const mails = app.bulwark.mailbox?.list().filter(({ to }) => to === email) ?? [];
    expect(mails.length).toBeLessThanOrEqual(5);
  });

  test("a token of one kind opens nothing of another", async () => {
    const { email } = await signUp();
    await post("/api/auth/password/forgot", { email });
    const token = tokenOf(await mailTo(app, email, "reset"));
    const password = "a good long password";
    const tries = [
      verify(token),
      post("/api/auth/invite/accept", { token, password, name: "X" }),
      post("/api/auth/magic-link/verify", { token }),
      post("/api/auth/mfa/challenge", { challengeToken: token, method: "totp", code: "000000" }),
      post("/api/auth/refresh", { refreshToken: token }),
      call("GET", "/api/auth/me", { token }),
    ];
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses).toEqual([404, 404, 401, 401, 401, 401]);
    expect((await post("/api/auth/password/reset", { token, password })).status).toBe(200);
  });
});

describe("another address", () => {
  const change = (token: string, email: string) =>
    call("POST", "/api/auth/email/change", { token, body: { email } });

  test("counts when both mailboxes have confirmed it, and ends all sessions", async () => {
    const account = await signUp();
    expect((await change(account.token, "new@example.com")).status).toBe(202);
    const old = tokenOf(await mailTo(app, account.email, "confirm-change"));
    const fresh = tokenOf(await mailTo(app, "new@example.com", "confirm-change"));
    expect((await verify(fresh)).json["data"]).toMatchObject({ changed: false });
    expect((await login(app, credentials(account))).status).toBe(200);
    expect((await verify(fresh)).status).toBe(404);
    expect((await verify(old)).json["data"]).toMatchObject({ changed: true });
    expect((await call("GET", "/api/auth/me", { token: account.token })).status).toBe(401);
    expect((await login(app, credentials(account))).status).toBe(401);
    const again = await login(app, { email: "new@example.com", password: account.password });
    expect(again.status).toBe(200);
    expect((await mailTo(app, account.email, "credential-changed")).text).toContain("address");
  });

  test("both links at once change it once", async () => {
    const account = await signUp();
    await change(account.token, "both@example.com");
    const old = tokenOf(await mailTo(app, account.email, "confirm-change"));
    const fresh = tokenOf(await mailTo(app, "both@example.com", "confirm-change"));
    const answers = await Promise.all([verify(old), verify(fresh)]);
    const changed = answers.map((one) => dataOf<{ changed: boolean }>(one).changed);
    expect(new Set(changed)).toEqual(new Set([false, true]));
  });

  test("a taken one looks the same, and changes nothing", async () => {
    const [account, other] = [await signUp(), await signUp()];
    const taken = await change(account.token, other.email);
    const free = await change(account.token, "free2@example.com");
    expect(shapeOf(taken)).toBe(shapeOf(free));
    await mailTo(app, other.email, "address-taken");
  });

  test("needs a factor that was proved in the last ten minutes", async () => {
    const account = await signUp();
    clock.advance(10 * 60_000);
    const refused = await change(account.token, "late@example.com");
    expect(refused.status).toBe(401);
    expect(refused.json["code"]).toBe("REAUTHENTICATION_REQUIRED");
    expect(refused.headers.get("www-authenticate")).toMatch(
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age=600$/,
    );
    const stepped = await call("POST", "/api/auth/step-up", {
      token: account.token,
      body: { password: account.password },
    });
    expect((await change(dataOf<Tokens>(stepped).accessToken, "late@example.com")).status).toBe(
      202,
    );
    expect((await call("GET", "/api/auth/me", { token: account.token })).status).toBe(401);
  });
});

describe("a link that signs in", () => {
  const ask = (email: string, mode?: string) =>
    post(
      "/api/auth/magic-link",
      { email, ...(mode === undefined ? {} : { mode }) },
      undefined,
      SAME_ORIGIN,
    );

  test("works in the browser that asked, once, also for five at once", async () => {
    const { email } = await signUp();
    const asked = await ask(email);
    const token = tokenOf(await mailTo(app, email, "magic-link"));
    const follow = (cookie?: string) => post("/api/auth/magic-link/verify", { token }, cookie);
    expect((await follow()).status).toBe(401);
    expect((await follow("__Host-browser=another")).status).toBe(401);
    const before = await countOf(app, "sessions");
    const answers = await Promise.all(Array.from({ length: 5 }, () => follow(cookiesOf(asked))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await countOf(app, "sessions")).toBe(before + 1);
  });

  test("asks for the second factor all the same", async () => {
    const account = await withTotp(app);
    const asked = await ask(account.email, "cookie");
    const token = tokenOf(await mailTo(app, account.email, "magic-link"));
    const followed = await post(
      "/api/auth/magic-link/verify",
      { token },
      cookiesOf(asked),
      SAME_ORIGIN,
    );
    expect(dataOf<object>(followed)).toMatchObject({ mfaRequired: true });
    expect(followed.headers.getSetCookie()).toEqual([]);
  });
});

test("an invitation makes an account whose owner chooses the password", async () => {
  const token = await app.adminToken();
  const input = { email: "guest@example.com", name: "Guest", roles: ["user", "moderator"] };
  const invited = await call("POST", "/api/admin/users/invite", { token, body: input });
  expect(invited.status).toBe(201);
  const link = tokenOf(await mailTo(app, input.email, "invite"));
  expect((await login(app, { email: input.email, password: "" })).status).toBe(401);
  const body = { token: link, password: "the guest's own password", name: "Grace" };
  const answers = await Promise.all([
    post("/api/auth/invite/accept", body),
    post("/api/auth/invite/accept", body),
  ]);
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 404]);
  const signedIn = await login(app, { email: input.email, password: body.password });
  expect(dataOf<{ user: object }>(signedIn).user).toMatchObject({
    name: "Grace",
    roles: ["user", "moderator"],
  });
});

test("no token that was mailed stands in the database, sent or not", async () => {
  await register();
  const { email, token } = await signUp();
  await post("/api/auth/password/forgot", { email });
  await call("POST", "/api/auth/email/change", { token, body: { email: "x@example.com" } });
  const unsent = await dump();
  const mails = [
    await mailTo(app, ADA.email, "verify"),
    await mailTo(app, email, "reset"),
    await mailTo(app, "x@example.com", "confirm-change"),
  ];
  const sent = await dump();
  for (const secret of mails.map(tokenOf)) {
    expect(secret).toMatch(/^[\w-]{43}$/);
    for (const stored of [unsent, sent, app.log.join("\n")]) expect(stored).not.toContain(secret);
  }
  await app.bulwark.outbox.flush();
  expect(await query(sql`SELECT id FROM bulwark.mail_outbox`)).toEqual([]);
});

function credentials({ email, password }: { email: string; password: string }) {
  return { email, password };
}
