import { beforeEach, describe, expect, test } from "vitest";
import { type Account, type Answer, dataOf, testApp } from "../../support/app.ts";
import { SoftwareAuthenticator, type Tampering } from "../../support/software-authenticator.ts";
import {
  challengeOf,
  login,
  SAME_ORIGIN,
  type Tokens,
  withTotp,
} from "../../system/auth/support.ts";

const app = await testApp();
const { call, clock, reset, signUp } = app;
beforeEach(reset);
const ORIGIN = `http://localhost:${app.port}`;

interface Holder extends Account {
  readonly authenticator: SoftwareAuthenticator;
  readonly passkeyId: string;
  readonly recoveryCodes: readonly string[];
}

const registerOptions = async (token: string): Promise<unknown> =>
  dataOf(await call("POST", "/api/auth/passkeys/register/options", { token, body: {} }));
const verifyRegistration = (token: string, credential: unknown, name = "My key") =>
  call("POST", "/api/auth/passkeys/register/verify", { token, body: { credential, name } });
const loginOptions = async (body: object = {}): Promise<unknown> =>
  dataOf(await call("POST", "/api/auth/passkeys/login/options", { body }));
const verifyLogin = (credential: unknown, more: object = {}, headers = {}): Promise<Answer> =>
  call("POST", "/api/auth/passkeys/login/verify", { body: { credential, ...more }, headers });

/** An account with a passkey, signed in by what adding it answered. */
async function holder(): Promise<Holder> {
  const account = await signUp();
  const authenticator = new SoftwareAuthenticator(ORIGIN);
  const credential = authenticator.create(await registerOptions(account.token));
  const added = await verifyRegistration(account.token, credential);
  if (added.status !== 201) throw new Error(added.text);
  const data = dataOf<Tokens & { passkey: { id: string }; recoveryCodes: readonly string[] }>(
    added,
  );
  return {
    ...account,
    authenticator,
    token: data.accessToken,
    passkeyId: data.passkey.id,
    recoveryCodes: data.recoveryCodes,
  };
}

test("a passkey is added, renews the session and ends the others; with the first one come recovery codes", async () => {
  const before = await signUp();
  const other = dataOf<Tokens>(
    await login(app, { email: before.email, password: before.password }),
  ).accessToken;
  const authenticator = new SoftwareAuthenticator(ORIGIN);
  const credential = authenticator.create(await registerOptions(before.token));
  const added = await verifyRegistration(before.token, credential);
  const data = dataOf<Tokens & { recoveryCodes: readonly string[] }>(added);
  expect(data.recoveryCodes).toHaveLength(10);
  const statuses = await Promise.all(
    [before.token, other, data.accessToken].map(
      async (token) => (await call("GET", "/api/auth/me", { token })).status,
    ),
  );
  expect(statuses).toEqual([401, 401, 200]);
});

test("it signs in without a password, in either mode", async () => {
  const { authenticator, id } = await holder();
  const tokens = await verifyLogin(authenticator.get(await loginOptions()));
  expect(dataOf<{ user: { id: string } }>(tokens).user.id).toBe(id);
  const me = await call("GET", "/api/auth/me", { token: dataOf<Tokens>(tokens).accessToken });
  expect(dataOf<{ methods: object[] }>(me).methods).toEqual([
    { method: "passkey", at: clock.now() },
  ]);
  const cookies = await verifyLogin(
    authenticator.get(await loginOptions()),
    { mode: "cookie" },
    SAME_ORIGIN,
  );
  expect(cookies.headers.getSetCookie()[0]).toContain("__Host-session=");
  expect(Object.keys(dataOf<object>(cookies))).toEqual(["user"]);
});

test("it is the second factor of a password, and of a step-up", async () => {
  const account = await holder();
  const { authenticator } = account;
  const challengeToken = await challengeOf(app, account);
  const credential = authenticator.get(await loginOptions({ challengeToken }));
  const body = { challengeToken, method: "passkey", credential };
  const answered = await call("POST", "/api/auth/mfa/challenge", { body });
  expect(answered.status).toBe(200);
  const { accessToken: token } = dataOf<Tokens>(answered);
  const options = dataOf(await call("POST", "/api/auth/step-up/options", { token, body: {} }));
  const proof = { method: "passkey", credential: authenticator.get(options) };
  expect((await call("POST", "/api/auth/step-up", { token, body: proof })).status).toBe(200);
});

test("the options of a sign-in say nothing of anybody", async () => {
  await holder();
  const options = (await loginOptions()) as Record<string, unknown>;
  expect(options["allowCredentials"]).toEqual([]);
  expect(options["userVerification"]).toBe("required");
});

describe("no sign-in comes of", () => {
  test.each<[what: string, tampering: Tampering]>([
    ["another origin", { origin: "https://evil.example" }],
    ["the origin on another port", { origin: `http://localhost:${app.port + 1}` }],
    ["another relying party", { rpId: "evil.example" }],
    ["an answer to a registration", { type: "webauthn.create" }],
    ["a challenge that we never made", { challenge: "A".repeat(43) }],
    ["a person who was not verified", { userVerified: false }],
    ["a forged signature", { forged: true }],
    ["another user's handle", { userHandle: Buffer.from("somebody").toString("base64url") }],
  ])("%s", async (_what, tampering) => {
    const { authenticator } = await holder();
    const answer = await verifyLogin(authenticator.get(await loginOptions(), tampering));
    expect([answer.status, answer.json["code"]]).toEqual([401, "INVALID_CREDENTIALS"]);
  });

  test("an answer that was used, also by one of five at once", async () => {
    const { authenticator } = await holder();
    const credential = authenticator.get(await loginOptions());
    const answers = await Promise.all(Array.from({ length: 5 }, () => verifyLogin(credential)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200, 401, 401, 401, 401,
    ]);
    expect((await verifyLogin(credential)).status).toBe(401);
  });

  test("a counter that did not rise: somebody has a copy", async () => {
    const { authenticator } = await holder();
    expect((await verifyLogin(authenticator.get(await loginOptions()))).status).toBe(200);
    const copy = authenticator.get(await loginOptions(), { counter: 1 });
    expect((await verifyLogin(copy)).status).toBe(401);
  });

  test("a challenge that is five minutes old", async () => {
    const { authenticator } = await holder();
    const options = await loginOptions();
    clock.advance(5 * 60_000);
    expect((await verifyLogin(authenticator.get(options))).status).toBe(401);
  });

  test("the challenge of a second factor, or of a registration", async () => {
    const account = await holder();
    const challengeToken = await challengeOf(app, account);
    const factor = account.authenticator.get(await loginOptions({ challengeToken }));
    expect((await verifyLogin(factor)).status).toBe(401);
    const { challenge } = (await registerOptions(account.token)) as { challenge: string };
    const options = { challenge, rpId: "localhost" };
    expect((await verifyLogin(account.authenticator.get(options))).status).toBe(401);
  });

  test("a passkey that nobody registered, or that was removed", async () => {
    const account = await holder();
    const stranger = new SoftwareAuthenticator(ORIGIN);
    expect((await verifyLogin(stranger.get(await loginOptions()))).status).toBe(401);
    const path = `/api/auth/passkeys/${account.passkeyId}`;
    expect((await call("DELETE", path, { token: account.token })).status).toBe(200);
    const late = await verifyLogin(account.authenticator.get(await loginOptions()));
    expect(late.status).toBe(401);
  });

  test("what is no credential", async () => {
    const id = "A".repeat(20);
    for (const credential of [
      { id, type: "public-key" },
      { id, type: "public-key", response: {} },
      { id, type: "public-key", response: { clientDataJSON: "x".repeat(5_000) } },
      { id, type: "public-key", response: { clientDataJSON: "e30", signature: [] } },
      { id: "../", type: "public-key", response: { clientDataJSON: "e30" } },
    ]) {
      expect((await verifyLogin(credential)).status).toBe(401);
    }
    expect((await verifyLogin("x")).status).toBe(400);
  });
});

describe("no second factor comes of", () => {
  test("another user's passkey", async () => {
    const [one, other] = [await withTotp(app), await holder()];
    const challengeToken = await challengeOf(app, one);
    const credential = other.authenticator.get(await loginOptions({ challengeToken }));
    const body = { challengeToken, method: "passkey", credential };
    expect((await call("POST", "/api/auth/mfa/challenge", { body })).status).toBe(401);
  });

  test("an answer to the challenge of a sign-in", async () => {
    const account = await holder();
    const challengeToken = await challengeOf(app, account);
    const credential = account.authenticator.get(await loginOptions());
    const body = { challengeToken, method: "passkey", credential };
    expect((await call("POST", "/api/auth/mfa/challenge", { body })).status).toBe(401);
  });
});

describe("no passkey is added", () => {
  test.each<[what: string, tampering: Tampering]>([
    ["from another origin", { origin: "https://evil.example" }],
    ["for another relying party", { rpId: "evil.example" }],
    ["by an answer to a sign-in", { type: "webauthn.get" }],
    ["without verifying the person", { userVerified: false }],
    ["for another challenge", { challenge: "A".repeat(43) }],
  ])("%s", async (_what, tampering) => {
    const { token } = await signUp();
    const credential = new SoftwareAuthenticator(ORIGIN).create(
      await registerOptions(token),
      tampering,
    );
    expect((await verifyRegistration(token, credential)).status).toBe(401);
    expect((await call("GET", "/api/auth/me", { token })).status).toBe(200);
  });

  test("by the challenge of another user", async () => {
    const [one, other] = [await signUp(), await signUp()];
    const credential = new SoftwareAuthenticator(ORIGIN).create(await registerOptions(one.token));
    expect((await verifyRegistration(other.token, credential)).status).toBe(401);
  });

  test("that another account has", async () => {
    const one = await holder();
    const other = await signUp();
    const credential = one.authenticator.create(await registerOptions(other.token));
    expect((await verifyRegistration(other.token, credential)).status).toBe(409);
  });
});

// GHSA-4vcf: a user acted on another's id.
test("another user's passkey is not there to be renamed or removed", async () => {
  const [one, other] = [await holder(), await signUp()];
  const path = `/api/auth/passkeys/${one.passkeyId}`;
  const { token } = other;
  expect((await call("PATCH", path, { token, body: { name: "Mine" } })).status).toBe(404);
  expect((await call("DELETE", path, { token })).status).toBe(404);
  const list = await call("GET", "/api/auth/passkeys", { token: one.token });
  expect(dataOf<{ name: string }[]>(list).map(({ name }) => name)).toEqual(["My key"]);
  const renamed = await call("PATCH", path, { token: one.token, body: { name: "Blue" } });
  expect(renamed.status).toBe(200);
});

test("the last factor takes the recovery codes with it", async () => {
  const account = await holder();
  const removed = await call("DELETE", `/api/auth/passkeys/${account.passkeyId}`, {
    token: account.token,
  });
  const { accessToken: token } = dataOf<Tokens>(removed);
  const left = await call("GET", "/api/auth/mfa", { token });
  expect(dataOf(left)).toEqual({ methods: [], recoveryCodesLeft: 0 });
});
