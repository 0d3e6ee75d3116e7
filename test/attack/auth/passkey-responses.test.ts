import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { PasskeyService } from "../../../src/auth/passkeys/index.ts";
import { ConflictError } from "../../../src/core/index.ts";
import { type Account, testApp } from "../../support/app.ts";
import { androidKeyAttestation, selfAttestation } from "../../support/attestations.ts";
import { SoftwareAuthenticator, type Tampering } from "../../support/software-authenticator.ts";

const app = await testApp();
const { clock, query, reset, signUp } = app;
const { database } = app.bulwark;
beforeEach(reset);

const ORIGIN = "https://app.example.com";
const service = { database, clock, rpName: "Example" };
const passkeys = new PasskeyService({ ...service, rpId: "app.example.com", origins: [ORIGIN] });

const register = (userId: string, response: unknown) =>
  database.transaction((tx) => passkeys.verifyRegistration(userId, response, "Key", tx));

interface Holder extends Account {
  readonly authenticator: SoftwareAuthenticator;
}

/** addPasskey answers to a registration as it is told to. */
async function addPasskey(account: Account, tampering: Tampering = {}) {
  const authenticator = new SoftwareAuthenticator(ORIGIN);
  const options = await passkeys.registrationOptions({ ...account, name: "Ann" });
  const added = await register(account.id, authenticator.create(options, tampering));
  return { authenticator, added };
}

async function holder(): Promise<Holder> {
  const account = await signUp();
  const { authenticator, added } = await addPasskey(account);
  expect(added).toBeDefined();
  return { ...account, authenticator };
}

/** The address of a server on loopback, and how often it was asked while `work` was done. */
async function countRequests(work: (url: string) => Promise<void>): Promise<number> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/crl`);
  } finally {
    server.close();
  }
  return asked;
}

describe("an attestation", () => {
  // The verifier of android-key takes the sender's last certificate for its root, and asks the addresses in the others for revocations.
  test("under a root of the sender's own is refused, and no server is asked that it names", async () => {
    const account = await signUp();
    const asked = await countRequests(async (url) => {
      const { added } = await addPasskey(account, { attestation: androidKeyAttestation(url) });
      expect(added).toBeUndefined();
    });
    expect(asked).toBe(0);
    expect(await passkeys.list(account.id)).toEqual([]);
  });

  test("by the credential's own key is good", async () => {
    const { added } = await addPasskey(await signUp(), { attestation: selfAttestation });
    expect(added).toMatchObject({ name: "Key", lastUsedAt: null });
  });
});

describe("no passkey is added", () => {
  test("on a page in a frame of another origin", async () => {
    const { added } = await addPasskey(await signUp(), { crossOrigin: true });
    expect(added).toBeUndefined();
  });

  test("under another id than the one that was signed for", async () => {
    const account = await signUp();
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    const options = await passkeys.registrationOptions({ ...account, name: "Ann" });
    const id = new SoftwareAuthenticator(ORIGIN).id;
    const response = { ...authenticator.create(options), id, rawId: id };
    expect(await register(account.id, response)).toBeUndefined();
  });

  test("by one answer sent twenty times at once, but one", async () => {
    const account = await signUp();
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    const options = await passkeys.registrationOptions({ ...account, name: "Ann" });
    const response = authenticator.create(options);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => register(account.id, response)),
    );
    expect(answers.filter((added) => added !== undefined)).toHaveLength(1);
    expect(await passkeys.list(account.id)).toHaveLength(1);
  });

  test("as the twenty-first, also with options from before", async () => {
    const account = await signUp();
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    const before = await passkeys.registrationOptions({ ...account, name: "Ann" });
    for (let count = 0; count < 20; count += 1) await addPasskey(account);
    await expect(register(account.id, authenticator.create(before))).rejects.toThrow(ConflictError);
    await expect(addPasskey(account)).rejects.toThrow(ConflictError);
  });
});

describe("no sign-in comes", () => {
  test.each<[what: string, tampering: Tampering]>([
    ["of a page in a frame of another origin", { crossOrigin: true }],
    ["without a handle, where nobody was named before", { anonymous: true }],
  ])("%s", async (_what, tampering) => {
    const { authenticator } = await holder();
    const response = authenticator.get(await passkeys.loginOptions(), tampering);
    expect(await passkeys.verifyLogin(response)).toBeUndefined();
  });

  test("of one answer sent twenty times at once, but once", async () => {
    const { authenticator, id } = await holder();
    const response = authenticator.get(await passkeys.loginOptions());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => passkeys.verifyLogin(response)),
    );
    expect(answers.filter((answer) => answer !== undefined)).toEqual([
      { userId: id, passkeyId: expect.any(String) },
    ]);
  });

  test("of twenty answers with one count at once, but once", async () => {
    const { authenticator } = await holder();
    const all = await Promise.all(Array.from({ length: 20 }, () => passkeys.loginOptions()));
    const answers = await Promise.all(
      all.map((options) => passkeys.verifyLogin(authenticator.get(options, { counter: 7 }))),
    );
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
  });
});

test("a second factor needs no handle: its user was named before", async () => {
  const { authenticator, id } = await holder();
  const response = authenticator.get(await passkeys.loginOptions(id), { anonymous: true });
  expect(await passkeys.verifyLogin(response, { userId: id })).toMatchObject({ userId: id });
});

test("an authenticator that counts nothing signs in again and again", async () => {
  const account = await signUp();
  const { authenticator } = await addPasskey(account, { counter: 0 });
  for (let time = 0; time < 3; time += 1) {
    const response = authenticator.get(await passkeys.loginOptions(), { counter: 0 });
    expect(await passkeys.verifyLogin(response)).toMatchObject({ userId: account.id });
  }
});

test("a sign-in is the passkey's last use", async () => {
  const { authenticator, id } = await holder();
  clock.advance(60_000);
  await passkeys.verifyLogin(authenticator.get(await passkeys.loginOptions()));
  const [passkey] = await passkeys.list(id);
  expect(passkey?.lastUsedAt).toBe(new Date(clock.now()).toISOString());
});

describe("a field that is longer than it may be is not read: the challenge stays unused", () => {
  const long = (length: number): string => "A".repeat(length);
  test.each<[field: string, change: Readonly<Record<string, unknown>>]>([
    ["id", { id: long(1_369) }],
    ["clientDataJSON", { response: { clientDataJSON: long(4_097) } }],
    ["authenticatorData", { response: { authenticatorData: long(16_385) } }],
    ["signature", { response: { signature: long(16_385) } }],
    ["userHandle", { response: { userHandle: long(1_369) } }],
  ])("%s", async (_field, change) => {
    const { authenticator, id } = await holder();
    const good = authenticator.get(await passkeys.loginOptions());
    const response = { ...(good["response"] as object), ...(change["response"] as object) };
    expect(await passkeys.verifyLogin({ ...good, ...change, response })).toBeUndefined();
    expect(await passkeys.verifyLogin(good)).toMatchObject({ userId: id });
  });

  test("attestationObject", async () => {
    const account = await signUp();
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    const options = await passkeys.registrationOptions({ ...account, name: "Ann" });
    const good = authenticator.create(options);
    const response = { ...(good["response"] as object), attestationObject: long(16_385) };
    expect(await register(account.id, { ...good, response })).toBeUndefined();
    expect(await register(account.id, good)).toBeDefined();
  });
});

test("challenges are stored as hashes alone", async () => {
  const { challenge } = (await passkeys.loginOptions()) as { readonly challenge: string };
  expect(await app.dump()).not.toContain(challenge);
  const rows = await query(sql`SELECT purpose, user_id FROM bulwark.one_time_tokens`);
  expect(rows).toEqual([{ purpose: "passkey.login", user_id: null }]);
});
