import { vi } from "vitest";
import { totpCode } from "../../../src/auth/index.ts";
import type { Bulwark } from "../../../src/bulwark/index.ts";
import { type Account, type Answer, dataOf, type TestApp } from "../../support/app.ts";
import { SoftwareAuthenticator } from "../../support/software-authenticator.ts";
import {
  cookiesOf,
  fromBase32,
  login,
  SAME_ORIGIN,
  type Tokens,
  tokenOf,
} from "../../system/auth/support.ts";

/** Where endings are made: an application, and whoever else may send what its outbox holds. */
export interface Place {
  readonly on: TestApp;
  readonly senders: readonly Bulwark[];
}

/** What a person holds who is about to lose it: three sessions, of which one may do the ending. */
export interface Victim {
  readonly account: Account;
  /** Access token of the session that asks. */
  readonly mine: string;
  readonly access: string;
  readonly refresh: string;
  readonly cookie: string;
  /** What else was made for the ending, such as the id of a passkey. */
  readonly what: string;
}

export interface Ending {
  readonly name: string;
  /** Default: an account with a password alone. */
  readonly victim?: (place: Place) => Promise<Victim>;
  readonly end: (place: Place, victim: Victim) => Promise<Answer>;
  /** True where the session that asks goes on as it is. Default false: it ends, or goes on under a new id. */
  readonly keepsMine?: boolean;
}

type Post = (on: TestApp, token: string, path: string, body?: object) => Promise<Answer>;
const post: Post = (on, token, path, body = {}) =>
  on.call("POST", `/api/auth${path}`, { token, body });
const remove: Post = (on, token, path) => on.call("DELETE", `/api/auth${path}`, { token });

const byAdmin =
  (action: string, body: object = {}): Ending["end"] =>
  async ({ on }, { account }) =>
    on.call("POST", `/api/admin/users/${account.id}/${action}`, {
      token: await on.adminToken(),
      body,
    });

/** Each of them ends the sessions `access` and `cookie` of an account. */
export const ENDINGS: readonly Ending[] = [
  {
    name: "logout",
    keepsMine: true,
    end: async ({ on }, { access, cookie }) => {
      const headers = { cookie, ...SAME_ORIGIN };
      await on.call("POST", "/api/auth/logout", { headers });
      return on.call("POST", "/api/auth/logout", { token: access });
    },
  },
  {
    name: "one after the other ended by its id",
    keepsMine: true,
    end: async ({ on }, { mine, access, cookie }) => {
      const idOf = async (more: object): Promise<string> =>
        dataOf<{ sessionId: string }>(await on.call("GET", "/api/auth/me", more)).sessionId;
      const ids = [await idOf({ token: access }), await idOf({ headers: { cookie } })];
      await remove(on, mine, `/sessions/${ids[0]}`);
      return remove(on, mine, `/sessions/${ids[1]}`);
    },
  },
  {
    name: "all others ended",
    keepsMine: true,
    end: ({ on }, { mine }) => remove(on, mine, "/sessions"),
  },
  {
    name: "a change of the password",
    end: ({ on }, { account, mine }) =>
      post(on, mine, "/password/change", {
        currentPassword: account.password,
        newPassword: "another rather long one",
      }),
  },
  {
    name: "a reset of the password",
    end: async (place, { account: { email } }) => {
      const { on } = place;
      await on.call("POST", "/api/auth/password/forgot", { body: { email } });
      const token = await mailed(place, email, "reset");
      const body = { token, password: "another rather long one" };
      return on.call("POST", "/api/auth/password/reset", { body });
    },
  },
  {
    name: "a change of the address",
    end: async (place, { account, mine }) => {
      const { on } = place;
      const email = "new@example.com";
      await post(on, mine, "/email/change", { email });
      const verify = async (to: string): Promise<Answer> => {
        const token = await mailed(place, to, "confirm-change");
        return on.call("POST", "/api/auth/email/verify", { body: { token } });
      };
      await verify(account.email);
      return verify(email);
    },
  },
  { name: "an authenticator app taken into use", end: ({ on }, { mine }) => addApp(on, mine) },
  {
    name: "an authenticator app removed",
    victim: victimWithApp,
    end: ({ on }, { mine }) => remove(on, mine, "/mfa/totp"),
  },
  {
    name: "new recovery codes",
    victim: victimWithApp,
    end: ({ on }, { mine }) => post(on, mine, "/mfa/recovery-codes"),
  },
  { name: "a passkey added", end: ({ on }, { mine }) => addPasskey(on, mine, passkeyOf(on)) },
  {
    name: "a passkey removed",
    victim: victimWithPasskey,
    end: ({ on }, { mine, what }) => remove(on, mine, `/passkeys/${what}`),
  },
  {
    name: "a deletion asked for by the owner",
    end: ({ on }, { mine }) => remove(on, mine, "/me"),
  },
  {
    name: "the account gone after its time of grace",
    end: async ({ on }, { mine }) => {
      const asked = await remove(on, mine, "/me");
      on.clock.advance(31 * 86_400_000);
      await on.bulwark.sweep();
      return asked;
    },
  },
  { name: "a change of roles", end: byAdmin("roles", { roles: ["user", "moderator"] }) },
  { name: "the account disabled", end: byAdmin("disable") },
  { name: "the account locked", end: byAdmin("lock") },
  { name: "its sessions revoked by an administrator", end: byAdmin("revoke-sessions") },
  { name: "a reset of its factors asked for", victim: victimWithApp, end: byAdmin("reset-mfa") },
];

/** victimOf signs an account in three times, each time by a password. */
export async function victimOf({ on }: Place): Promise<Victim> {
  const account = await on.signUp();
  const { email, password, token: mine } = account;
  const tokens = dataOf<Tokens>(await login(on, { email, password }));
  const inBrowser = await login(on, { email, password, mode: "cookie" }, SAME_ORIGIN);
  return holding(account, mine, tokens, inBrowser);
}

async function victimWithApp({ on }: Place): Promise<Victim> {
  const account = await on.signUp();
  const added = await addApp(on, account.token);
  const { secret } = added;
  const second = async (mode: string): Promise<Answer> => {
    on.clock.advance(30_000);
    const { email, password } = account;
    const half = await login(on, { email, password, mode }, SAME_ORIGIN);
    const { challengeToken } = dataOf<{ challengeToken: string }>(half);
    const body = { challengeToken, method: "totp", code: codeOf(secret, on.clock.now()) };
    return on.call("POST", "/api/auth/mfa/challenge", { body, headers: SAME_ORIGIN });
  };
  const mine = dataOf<Tokens>(added).accessToken;
  return holding(account, mine, dataOf<Tokens>(await second("token")), await second("cookie"));
}

async function victimWithPasskey({ on }: Place): Promise<Victim> {
  const account = await on.signUp();
  const authenticator = passkeyOf(on);
  const added = await addPasskey(on, account.token, authenticator);
  const data = dataOf<Tokens & { passkey: { id: string } }>(added);
  const enter = async (mode: string): Promise<Answer> => {
    const options = await on.call("POST", "/api/auth/passkeys/login/options", { body: {} });
    const body = { credential: authenticator.get(dataOf(options)), mode };
    return on.call("POST", "/api/auth/passkeys/login/verify", { body, headers: SAME_ORIGIN });
  };
  const tokens = dataOf<Tokens>(await enter("token"));
  return holding(account, data.accessToken, tokens, await enter("cookie"), data.passkey.id);
}

const holding = (
  account: Account,
  mine: string,
  { accessToken, refreshToken }: Tokens,
  inBrowser: Answer,
  what = "",
): Victim => ({
  account,
  mine,
  access: accessToken,
  refresh: refreshToken,
  cookie: cookiesOf(inBrowser),
  what,
});

async function addApp(on: TestApp, token: string): Promise<Answer & { readonly secret: string }> {
  const { secret } = dataOf<{ secret: string }>(await post(on, token, "/mfa/totp/enroll"));
  const code = codeOf(secret, on.clock.now());
  return { ...(await post(on, token, "/mfa/totp/confirm", { code })), secret };
}

async function addPasskey(
  on: TestApp,
  token: string,
  authenticator: SoftwareAuthenticator,
): Promise<Answer> {
  const options = dataOf(await post(on, token, "/passkeys/register/options"));
  const credential = authenticator.create(options);
  return post(on, token, "/passkeys/register/verify", { credential, name: "Key" });
}

const passkeyOf = ({ bulwark }: TestApp): SoftwareAuthenticator =>
  new SoftwareAuthenticator(bulwark.issuer);

const codeOf = (secret: string, now: number): string =>
  totpCode(fromBase32(secret), Math.floor(now / 30_000));

/** The token of a mail, by whichever process it was sent. */
function mailed({ on, senders }: Place, to: string, kind: string): Promise<string> {
  const applications = [on.bulwark, ...senders];
  return vi.waitFor(
    async () => {
      for (const { outbox } of applications) await outbox.flush();
      const mails = applications.flatMap(({ mailbox }) => mailbox?.list() ?? []);
      const mail = mails.find((one) => one.to === to && one.kind === kind);
      if (mail === undefined) throw new Error(`no mail of kind ${kind} to ${to}`);
      return tokenOf(mail);
    },
    { timeout: 5_000, interval: 10 },
  );
}
