import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { OneTimeTokens } from "../../../src/auth/accounts/index.ts";
import { totpCode } from "../../../src/auth/mfa/index.ts";
import { type Account, dataOf, PASSWORD, startApp } from "../../support/app.ts";

/** Every token is shown in every place, more often in a minute than the limits allow. */
const requests = { requests: 10_000, window: "1m" };
const app = await startApp({ limits: { login: requests, register: requests } });
const { bulwark, call, clock, query, reset, signUp } = app;
const { database, sessions } = bulwark;
const oneTime = new OneTimeTokens({ database, clock });

/** CVE-2023-48309: a token of one kind was accepted as another. */
const KINDS = [
  "access token",
  "refresh token",
  "device token",
  "session cookie",
  "CSRF token",
  "challenge token",
  "reset token",
  "verification token",
  "invitation token",
  "session id",
] as const;
type Kind = (typeof KINDS)[number];
type Minted = Readonly<Record<Kind, string>>;

let person: Account;
let guarded: Account & { readonly secret: string };
let minted: Minted;

beforeAll(async () => {
  await reset();
  person = await signUp();
  guarded = await withSecondFactor();
});

afterAll(app.close);

/** Codes are new, and every kind is a live one. */
beforeEach(async () => {
  clock.advance(120_000);
  minted = await mint();
});

async function withSecondFactor(): Promise<typeof guarded> {
  const account = await signUp();
  const enrolled = await call("POST", "/api/auth/mfa/totp/enroll", { token: account.token });
  const { secret } = dataOf<{ secret: string }>(enrolled);
  const body = { code: codeOf(secret) };
  const path = "/api/auth/mfa/totp/confirm";
  expect((await call("POST", path, { token: account.token, body })).status).toBe(200);
  return { ...account, secret };
}

const codeOf = (secret: string): string =>
  totpCode(base32(secret), Math.floor(clock.now() / 30_000));

function base32(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

async function mint(): Promise<Minted> {
  const { email, id: userId } = person;
  const login = (body: object) => call("POST", "/api/auth/login", { body });
  const own = dataOf<Record<"accessToken" | "refreshToken" | "deviceToken", string>>(
    await login({ email, password: PASSWORD }),
  );
  const { challengeToken } = dataOf<{ challengeToken: string }>(
    await login({ email: guarded.email, password: PASSWORD }),
  );
  const [pending, invited] = [await signUp(), await signUp()];
  await query(sql`UPDATE bulwark.users SET email_verified_at = NULL WHERE id = ${pending.id}`);
  await query(sql`UPDATE bulwark.users SET password_hash = NULL WHERE id = ${invited.id}`);
  const [cookie, reset, verification, invitation] = await database.transaction(async (tx) => [
    await sessions.create(tx, {
      userId,
      mode: "cookie",
      methods: [{ method: "pwd", at: clock.now() }],
    }),
    await oneTime.issue(tx, "password.reset", { userId }),
    await oneTime.issue(tx, "email.verify", { userId: pending.id }),
    await oneTime.issue(tx, "invite", { userId: invited.id }),
  ]);
  const me = await call("GET", "/api/auth/me", { token: own.accessToken });
  return {
    "access token": own.accessToken,
    "refresh token": own.refreshToken,
    "device token": own.deviceToken,
    "session cookie": cookie.secret ?? "",
    "CSRF token": bulwark.csrf.generateToken(cookie.secret ?? ""),
    "challenge token": challengeToken,
    "reset token": reset.token,
    "verification token": verification.token,
    "invitation token": invitation.token,
    "session id": dataOf<{ sessionId: string }>(me).sessionId,
  };
}

interface Slot {
  readonly name: string;
  /** What belongs there. */
  readonly own: Kind | undefined;
  readonly refusal: number;
  readonly send: (text: string) => Promise<number>;
}

const ORIGIN = { "sec-fetch-site": "same-origin" };
const post = async (path: string, body: unknown): Promise<number> =>
  (await call("POST", path, { body })).status;
const me = async (headers: Readonly<Record<string, string>>): Promise<number> =>
  (await call("GET", "/api/auth/me", { headers })).status;

const SLOTS: readonly Slot[] = [
  {
    name: "Bearer",
    own: "access token",
    refusal: 401,
    send: (text) => me({ authorization: `Bearer ${text}` }),
  },
  { name: "x-api-key", own: undefined, refusal: 401, send: (text) => me({ "x-api-key": text }) },
  {
    name: "the session cookie",
    own: "session cookie",
    refusal: 401,
    send: (text) => me({ cookie: `__Host-session=${text}`, ...ORIGIN }),
  },
  {
    name: "the device cookie alone",
    own: undefined,
    refusal: 401,
    send: (text) => me({ cookie: `__Host-device=${text}`, ...ORIGIN }),
  },
  {
    name: "refresh",
    own: "refresh token",
    refusal: 401,
    send: (refreshToken) => post("/api/auth/refresh", { refreshToken }),
  },
  {
    name: "the challenge of a second factor",
    own: "challenge token",
    refusal: 401,
    send: (challengeToken) =>
      post("/api/auth/mfa/challenge", {
        challengeToken,
        method: "totp",
        code: codeOf(guarded.secret),
      }),
  },
  {
    name: "the verification of an address",
    own: "verification token",
    refusal: 404,
    send: (token) => post("/api/auth/email/verify", { token }),
  },
  {
    name: "an invitation",
    own: "invitation token",
    refusal: 404,
    send: (token) =>
      post("/api/auth/invite/accept", { token, password: PASSWORD, name: "Somebody" }),
  },
  {
    name: "the CSRF header",
    own: "CSRF token",
    refusal: 403,
    send: async (text) => {
      const headers = {
        cookie: `__Host-session=${minted["session cookie"]}`,
        "x-csrf-token": text,
      };
      return (await call("POST", "/api/auth/mfa/totp/enroll", { headers })).status;
    },
  },
  {
    name: "a new password",
    own: "reset token",
    refusal: 404,
    send: (token) => post("/api/auth/password/reset", { token, password: PASSWORD }),
  },
];

describe.each(SLOTS)("as $name", ({ own, refusal, send }) => {
  test(`every kind is refused${own === undefined ? "" : ` but ${own}, which is good`}`, async () => {
    const answers: Record<string, number> = {};
    for (const kind of KINDS) if (kind !== own) answers[kind] = await send(minted[kind]);
    expect(answers).toEqual(
      Object.fromEntries(Object.keys(answers).map((kind) => [kind, refusal])),
    );
    if (own !== undefined) expect(await send(minted[own])).toBe(200);
  });
});

test("a kind that was shown in every other place is still good in its own: nothing was used up", async () => {
  for (const { own, send } of SLOTS) {
    for (const kind of KINDS) if (kind !== own) await send(minted[kind]);
    clock.advance(30_000);
  }
  const answers: Record<string, number> = {};
  for (const { name, own, send } of SLOTS) {
    if (own !== undefined) answers[name] = await send(minted[own]);
  }
  expect(new Set(Object.values(answers))).toEqual(new Set([200]));
});

test("nothing but a device token makes a known device, which strangers' failures do not shut out", async () => {
  const { email } = person;
  const login = async (body: object): Promise<number> =>
    (await call("POST", "/api/auth/login", { body: { email, ...body } })).status;
  for (let i = 0; i < 5; i += 1) {
    expect(await login({ password: "not the password at all" })).toBe(401);
  }
  for (const kind of KINDS) {
    if (kind === "device token") continue;
    expect([kind, await login({ password: PASSWORD, deviceToken: minted[kind] })]).toEqual([
      kind,
      401,
    ]);
  }
  expect(await login({ password: PASSWORD, deviceToken: minted["device token"] })).toBe(200);
});
