import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Account, dataOf, testApp } from "../../support/app.ts";
import { eventsOf, login, type Tokens, withTotp } from "../../system/auth/support.ts";

const app = await testApp();
const { bulwark, clock, call, query, reset, signUp } = app;
beforeEach(async () => {
  await reset();
  vi.restoreAllMocks();
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const right = (account: Account, deviceToken?: string) =>
  login(app, {
    email: account.email,
    password: account.password,
    ...(deviceToken === undefined ? {} : { deviceToken }),
  });
const wrong = (account: Account, deviceToken?: string) =>
  login(app, {
    email: account.email,
    password: "a wrong password",
    ...(deviceToken === undefined ? {} : { deviceToken }),
  });

async function fail(account: Account, times: number, deviceToken?: string): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    expect((await wrong(account, deviceToken)).status).toBe(401);
  }
}

/** Counts the verifications of this account's stored hash. */
async function countVerifications(account: Account): Promise<() => number> {
  const [row] = await query(sql`SELECT password_hash FROM bulwark.users WHERE id = ${account.id}`);
  const verify = vi.spyOn(bulwark.passwords, "verifyPassword");
  return () => verify.mock.calls.filter(([, hash]) => hash === row?.["password_hash"]).length;
}

// GHSA-7h8m (Zitadel): parallel password checks beat the lockout.
test("of 200 guesses at once five reach the hasher", async () => {
  const account = await signUp();
  const verified = await countVerifications(account);
  const guess = () => bulwark.auth.login({ email: account.email, password: "wrong" }, {});
  const answers = await Promise.allSettled(Array.from({ length: 200 }, guess));
  expect(answers.every(({ status }) => status === "rejected")).toBe(true);
  expect(verified()).toBe(5);
});

test("five failures lock for a minute, and each further one doubles that, up to an hour", async () => {
  const account = await signUp();
  await fail(account, 5);
  expect((await right(account)).status).toBe(401);
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    clock.advance(minutes * MINUTE - 1);
    expect((await right(account)).status).toBe(401);
    clock.advance(1);
    await fail(account, 1);
  }
  clock.advance(HOUR);
  expect((await right(account)).status).toBe(200);
});

test("what failed is forgotten once all factors were proved", async () => {
  const account = await signUp();
  await fail(account, 4);
  expect((await right(account)).status).toBe(200);
  await fail(account, 4);
  expect((await right(account)).status).toBe(200);
});

test("a lock is recorded once, and looks like every other refusal", async () => {
  const account = await signUp();
  await fail(account, 7);
  expect((await eventsOf(app)).filter((type) => type === "auth.account.locked")).toHaveLength(1);
  const refusals = await Promise.all([
    wrong(account),
    right(account),
    login(app, { email: "nobody@example.com", password: "whatever" }),
    login(app, { email: "not an address", password: "whatever" }),
  ]);
  const shapes = refusals.map(({ status, json, headers }) => {
    const { error, code, statusCode } = json;
    const names = [...headers.keys()].filter((name) => !/^(date|x-ratelimit)/.test(name));
    return JSON.stringify([status, error, code, statusCode, names]);
  });
  expect(new Set(shapes).size).toBe(1);
});

describe("a known device", () => {
  const deviceOf = async (account: Account): Promise<string> =>
    dataOf<Tokens>(await right(account)).deviceToken;

  test("gets in while strangers are locked out", async () => {
    const account = await signUp();
    const device = await deviceOf(account);
    await fail(account, 8);
    expect((await right(account)).status).toBe(401);
    expect((await right(account, device)).status).toBe(200);
  });

  test("counts for itself, and locks itself alone", async () => {
    const account = await signUp();
    const device = await deviceOf(account);
    const other = await deviceOf(account);
    await fail(account, 5, device);
    expect((await right(account, device)).status).toBe(401);
    expect((await right(account, other)).status).toBe(200);
    expect((await right(account)).status).toBe(200);
  });

  test.each<[what: string, token: (own: string, others: string) => string]>([
    ["another user's", (_own, others) => others],
    [
      "one with a changed signature",
      (own) => own.replace(/.$/, (end) => (end === "A" ? "Q" : "A")),
    ],
    ["one of our form that we never made", (own) => `bdv_${"A".repeat(43)}.${own.split(".")[1]}`],
    ["nonsense", () => "nonsense"],
  ])("%s is none", async (_what, token) => {
    const account = await signUp();
    const device = await deviceOf(account);
    const others = await deviceOf(await signUp());
    await fail(account, 5);
    expect((await right(account, token(device, others))).status).toBe(401);
  });

  test("is known no more once the password was changed", async () => {
    const account = await signUp();
    const device = await deviceOf(account);
    const newPassword = "another long password";
    const changed = await call("POST", "/api/auth/password/change", {
      token: account.token,
      body: { currentPassword: account.password, newPassword },
    });
    expect(changed.status).toBe(200);
    const after = { ...account, password: newPassword };
    await fail(after, 5, device);
    expect((await right(after, device)).status).toBe(401);
  });
});

// NIST SP 800-63B-4 section 3.2.2.
test("a hundred failures in a row shut the password to strangers, for good", async () => {
  const account = await signUp();
  const device = dataOf<Tokens>(await right(account)).deviceToken;
  await fail(account, 1);
  await query(sql`UPDATE bulwark.account_guards SET password_failures = 98`);
  for (let count = 98; count < 100; count += 1) {
    clock.advance(HOUR);
    await fail(account, 1);
  }
  clock.advance(1_000 * HOUR);
  expect((await right(account)).status).toBe(401);
  expect((await right(account, device)).status).toBe(200);
});

// CVE-2026-9798: lockout ignored on another way in, or cleared by a refresh.
test("a refresh does not clear what failed", async () => {
  const account = await signUp();
  const { refreshToken } = dataOf<Tokens>(await right(account));
  await fail(account, 5);
  const refreshed = await call("POST", "/api/auth/refresh", { body: { refreshToken } });
  expect(refreshed.status).toBe(200);
  expect((await right(account)).status).toBe(401);
});

describe("second factors are counted on the account", () => {
  test("across challenges: of 40 codes at once, five are looked at", async () => {
    const account = await withTotp(app);
    account.next();
    const tokens = await Promise.all(
      [1, 2, 3, 4].map(
        async () => dataOf<{ challengeToken: string }>(await right(account)).challengeToken,
      ),
    );
    const guess = (index: number) =>
      bulwark.auth.answerChallenge(
        {
          challengeToken: tokens[index % 4] as string,
          proof: { method: "totp", code: String(index).padStart(6, "0") },
        },
        {},
        () => {},
      );
    await Promise.allSettled(Array.from({ length: 40 }, (_none, index) => guess(index)));
    const [row] = await query(sql`SELECT factor_failures AS n FROM bulwark.account_guards`);
    expect(row?.["n"]).toBe(5);
    const late = await call("POST", "/api/auth/mfa/challenge", {
      body: { challengeToken: tokens[0], method: "totp", code: account.code() },
    });
    expect(late.status).toBe(401);
  });

  test("across sessions: a step-up counts as well, and a recovery code too", async () => {
    const account = await withTotp(app);
    account.next();
    for (const proof of [
      { method: "totp", code: "000000" },
      { method: "recovery", code: "0000" },
      { password: "wrong" },
      { method: "totp", code: "000001" },
      { method: "recovery", code: "0001" },
    ]) {
      const answer = await call("POST", "/api/auth/step-up", { token: account.token, body: proof });
      expect(answer.status).toBe(401);
    }
    const good = { method: "totp", code: account.code() };
    const answer = await call("POST", "/api/auth/step-up", { token: account.token, body: good });
    expect(answer.status).toBe(401);
  });
});
