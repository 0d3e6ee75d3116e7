import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, test } from "vitest";
import { type Account, type Answer, startApp } from "../../support/app.ts";
import {
  challengeOf,
  cookiesOf,
  login,
  mailTo,
  ownDatabase,
  tokenOf,
  withTotp,
} from "./support.ts";

const app = await startApp({ ...(await ownDatabase()), auth: { magicLink: true } });
const { bulwark, call, query, reset, signUp } = app;
beforeEach(reset);
afterAll(app.close);

/** A link that was mailed, and the cookie of the browser that asked for it. */
async function linkOf({ email }: Account): Promise<{ token: string; cookie: string }> {
  const asked = await call("POST", "/api/auth/magic-link", { body: { email } });
  return { token: tokenOf(await mailTo(app, email, "magic-link")), cookie: cookiesOf(asked) };
}

const follow = (token: string, cookie: string): Promise<Answer> =>
  call("POST", "/api/auth/magic-link/verify", { body: { token }, headers: { cookie } });

const ROWS: readonly (readonly [
  what: string,
  method: string,
  known: boolean,
  attempt: (account: Account) => Promise<Answer>,
])[] = [
  ["a wrong password", "password", true, ({ email }) => login(app, { email, password: "wrong" })],
  [
    "an address that nobody has",
    "password",
    false,
    ({ password }) => login(app, { email: "nobody@example.com", password }),
  ],
  [
    "the password of a disabled account",
    "password",
    true,
    async ({ id, email, password }) => {
      await bulwark.accounts.disable(id, {});
      return login(app, { email, password });
    },
  ],
  [
    "a link in another browser",
    "link",
    true,
    async (account) => follow((await linkOf(account)).token, ""),
  ],
  ["a link that is none", "link", false, () => follow("x".repeat(43), "")],
  [
    "a link that ended with a lock of the account",
    "link",
    false,
    async (account) => {
      const { token, cookie } = await linkOf(account);
      await bulwark.accounts.lock(account.id, {});
      return follow(token, cookie);
    },
  ],
  [
    "a link to an account that may not enter",
    "link",
    true,
    async (account) => {
      const { token, cookie } = await linkOf(account);
      await query(sql`UPDATE bulwark.users SET disabled_at = now() WHERE id = ${account.id}`);
      return follow(token, cookie);
    },
  ],
  [
    "a passkey that nobody has",
    "passkey",
    false,
    () => {
      const credential = { id: "x", type: "public-key" };
      return call("POST", "/api/auth/passkeys/login/verify", { body: { credential } });
    },
  ],
];

const failures = () =>
  query(sql`
    SELECT resource, result, metadata FROM bulwark.audit_events WHERE type = 'auth.login.failed'`);

test.each(ROWS)("%s is a failure in the audit log", async (_what, method, known, attempt) => {
  await signUp(["user", "admin"]);
  const account = await signUp();
  const answer = await attempt(account);
  expect([answer.status, answer.json["code"]]).toEqual([401, "INVALID_CREDENTIALS"]);
  expect(await failures()).toEqual([
    {
      resource: known ? `user:${account.id}` : null,
      result: "failure",
      metadata: { known, method },
    },
  ]);
});

test.each(["totp", "recovery"])("so is a wrong code by %s", async (method) => {
  const account = await withTotp(app);
  const body = { challengeToken: await challengeOf(app, account), method, code: "000000" };
  expect((await call("POST", "/api/auth/mfa/challenge", { body })).status).toBe(401);
  expect(await failures()).toMatchObject([{ metadata: { known: true, method } }]);
});
