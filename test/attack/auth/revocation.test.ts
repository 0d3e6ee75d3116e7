import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { totpCode } from "../../../src/auth/index.ts";
import { type Account, dataOf, startApp, type TestApp, testApp } from "../../support/app.ts";
import { freshDatabase } from "../../support/services.ts";
import { SAME_ORIGIN, signInByCookie, type Tokens, withTotp } from "../../system/auth/support.ts";

const app = await testApp();

/** What a person holds who is about to lose it. */
interface Victim {
  readonly account: Account;
  readonly access: string;
  readonly refresh: string;
  readonly cookie: string;
}

type Ending = (on: TestApp, victim: Victim) => Promise<{ readonly status: number }>;

const byAdmin =
  (name: string, body: object = {}): Ending =>
  async (on, { account }) =>
    on.call("POST", `/api/admin/users/${account.id}/${name}`, {
      token: await on.adminToken(),
      body,
    });

/** Each of them ends every session of the account; the one that asks goes on under a new id at most. */
const ENDINGS: readonly (readonly [what: string, end: Ending])[] = [
  [
    "a change of the password",
    (on, { account, access }) =>
      on.call("POST", "/api/auth/password/change", {
        token: access,
        body: { currentPassword: account.password, newPassword: "another rather long one" },
      }),
  ],
  [
    "a second factor set up",
    async (on, { access }) => {
      const path = "/api/auth/mfa/totp/enroll";
      const enrolled = await on.call("POST", path, { token: access, body: {} });
      const { secret } = dataOf<{ secret: string }>(enrolled);
      const code = codeOf(secret, on.clock.now());
      return on.call("POST", "/api/auth/mfa/totp/confirm", { token: access, body: { code } });
    },
  ],
  ["a change of roles", byAdmin("roles", { roles: ["user", "moderator"] })],
  ["the account disabled", byAdmin("disable")],
  ["the account locked", byAdmin("lock")],
  ["its sessions revoked", byAdmin("revoke-sessions")],
  ["a reset of factors asked for", byAdmin("reset-mfa")],
  [
    "the account deleted by its owner",
    (on, { access }) => on.call("DELETE", "/api/auth/me", { token: access }),
  ],
];

// GHSA-2vg6: who was deleted kept the sessions of a store that was not told.
describe("everything that an account holds is refused at the next request", () => {
  beforeEach(app.reset);

  test.each(ENDINGS)("after %s", async (_what, end) => {
    const victim = await victimOf(app);
    expect(await opens(app, victim)).toEqual([200, 200]);
    expect((await end(app, victim)).status).toBeLessThan(300);
    expect(await opens(app, victim)).toEqual([401, 401]);
    expect(await refreshes(app, victim)).toBe(401);
    const rows = await app.query(
      sql`SELECT count(*)::int AS n FROM bulwark.sessions WHERE user_id = ${victim.account.id}`,
    );
    expect(Number(rows[0]?.["n"])).toBeLessThanOrEqual(1);
  });

  test("after logout, and the other sessions go on", async () => {
    const victim = await victimOf(app);
    const signedOut = await app.call("POST", "/api/auth/logout", { token: victim.access });
    expect(signedOut.status).toBe(200);
    expect(await opens(app, victim)).toEqual([401, 200]);
    expect(await refreshes(app, victim)).toBe(401);
    const cookie = { cookie: victim.cookie, ...SAME_ORIGIN };
    expect((await app.call("POST", "/api/auth/logout", { headers: cookie })).status).toBe(200);
    expect(await opens(app, victim)).toEqual([401, 401]);
  });

  test("after the second factor was removed", async () => {
    const account = await withTotp(app);
    const removed = await app.call("DELETE", "/api/auth/mfa/totp", { token: account.token });
    expect(removed.status).toBe(200);
    expect((await app.call("GET", "/api/auth/me", { token: account.token })).status).toBe(401);
    const { accessToken } = dataOf<Tokens>(removed);
    expect((await app.call("GET", "/api/auth/me", { token: accessToken })).status).toBe(200);
  });

  test("after the account is gone", async () => {
    const victim = await victimOf(app);
    await app.call("DELETE", "/api/auth/me", { token: victim.access });
    app.clock.advance(31 * 86_400_000);
    await app.bulwark.sweep();
    expect(await opens(app, victim)).toEqual([401, 401]);
    expect(await refreshes(app, victim)).toBe(401);
  });
});

const url = await freshDatabase();

describe.skipIf(url === undefined)("on a second process too", async () => {
  if (url === undefined) return;
  const [one, other] = [
    await startApp({ database: { url } }),
    await startApp({ database: { url } }),
  ];
  afterAll(async () => {
    await one.close();
    await other.close();
  });
  beforeEach(async () => {
    await one.reset();
    other.bulwark.sessions.forget(() => true);
    other.clock.advance(one.clock.now() - other.clock.now());
  });

  test.each(ENDINGS)("after %s", async (_what, end) => {
    const victim = await victimOf(one);
    expect(await cookieAndMe(other, victim)).toBe(200);
    expect((await end(one, victim)).status).toBeLessThan(300);
    expect(await cookieAndMe(other, victim)).toBe(401);
    expect(await cookieAndMe(one, victim)).toBe(401);
  });

  test("after logout", async () => {
    const victim = await victimOf(one);
    expect(await cookieAndMe(other, victim)).toBe(200);
    const headers = { cookie: victim.cookie, ...SAME_ORIGIN };
    expect((await one.call("POST", "/api/auth/logout", { headers })).status).toBe(200);
    expect(await cookieAndMe(other, victim)).toBe(401);
  });
});

async function victimOf(on: TestApp): Promise<Victim> {
  const account = await on.signUp();
  const { email, password } = account;
  const signedIn = await on.bulwark.auth.login({ email, password }, {});
  if (signedIn.mode !== "token") throw new Error("a second factor was asked for");
  const cookie = await signInByCookie(on, account);
  return { account, access: signedIn.accessToken, refresh: signedIn.refreshToken, cookie };
}

async function opens(on: TestApp, { access, cookie }: Victim): Promise<readonly number[]> {
  const byToken = await on.call("GET", "/api/auth/me", { token: access });
  const byCookie = await on.call("GET", "/api/auth/me", { headers: { cookie } });
  return [byToken.status, byCookie.status];
}

/** The cookie alone: the processes listen at other ports, so that a token of one has the wrong issuer at the other. */
const cookieAndMe = async (on: TestApp, { cookie }: Victim): Promise<number> =>
  (await on.call("GET", "/api/auth/me", { headers: { cookie } })).status;

const refreshes = async (on: TestApp, { refresh }: Victim): Promise<number> =>
  (await on.call("POST", "/api/auth/refresh", { body: { refreshToken: refresh } })).status;

function codeOf(secret: string, now: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(secret, (char) => alphabet.indexOf(char).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  const key = Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
  return totpCode(key, Math.floor(now / 30_000));
}
