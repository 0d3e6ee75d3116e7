import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OidcConfig } from "../../../src/auth/oidc/index.ts";
import { type TestApp, testApp } from "../../support/app.ts";
import type { OidcServer } from "../../support/oidc-server.ts";
import {
  CLIENT_SECRET,
  countOf,
  eventsOf,
  makeBench,
  type OidcBench,
  redirectUri,
  refusal,
  signInAt,
  startServer,
} from "./support.ts";

let app: TestApp;
let one: OidcServer;
let two: OidcServer;
let bench: OidcBench;

const configOf = (): OidcConfig => ({
  one: {
    issuer: one.issuer,
    clientId: "bulwark",
    clientSecret: CLIENT_SECRET,
    mfa: { acr: ["urn:test:two"], amr: ["otp"] },
  },
  two: { issuer: two.issuer, clientId: "public", algorithm: "ES256", displayName: "The Second" },
});

beforeAll(async () => {
  app = await testApp();
  one = await startServer("one");
  two = await startServer("two", {
    clientId: "public",
    clientSecret: undefined,
    algorithm: "ES256",
  });
});
afterAll(() => Promise.all([one.stop(), two.stop()]));
beforeEach(async () => {
  await app.reset();
  for (const server of [one, two]) server.accounts.clear();
  bench = await makeBench(configOf());
});

test("the providers are listed without anything of their configuration", async () => {
  await bench.provider.open();
  expect(bench.provider.list()).toEqual([
    { name: "one", displayName: "one" },
    { name: "two", displayName: "The Second" },
  ]);
});

// OIDC Core section 3.1.2.1, RFC 7636 section 4.3, RFC 9700 section 2.1.1.
test("a browser is sent away with a challenge, a state, a nonce, and a cookie that is for this host alone", async () => {
  const { url, cookie } = await bench.provider.start("one", { intent: "sign-in", mode: "cookie" });
  const { origin, pathname, searchParams } = new URL(url);
  expect(origin + pathname).toBe(`${one.issuer}/auth`);
  expect(Object.fromEntries(searchParams)).toEqual({
    client_id: "bulwark",
    response_type: "code",
    scope: "openid email profile",
    redirect_uri: redirectUri("one"),
    code_challenge_method: "S256",
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(cookie).toMatch(
    /^__Host-oidc=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  expect(bench.provider.expiredCookie).toMatch(/^__Host-oidc=; Max-Age=0; Path=\/;.* Secure;/);
});

test("nothing that goes out, and no secret of the exchange, stands in the database", async () => {
  const { url, cookies } = await bench.start("one");
  const { searchParams } = new URL(url);
  const dump = await app.dump();
  expect(dump).toContain('"provider": "one"');
  for (const secret of [searchParams.get("state"), searchParams.get("nonce"), cookies.slice(12)]) {
    expect(secret).toHaveLength(43);
    expect(dump).not.toContain(secret);
  }
  expect(dump).not.toContain("verifier");
});

describe("a sign-in", () => {
  test.each(["one", "two"])(
    "at %s makes an account without a password, and finds it again",
    async (name) => {
      const server = name === "one" ? one : two;
      const first = await signInAt(bench, server, name, { subject: "ada" });
      expect(first).toMatchObject({
        mode: "cookie",
        returnTo: undefined,
        provedSecondFactor: false,
        proved: [{ method: "oidc", at: expect.any(Number) }],
        user: {
          email: "ada@people.example",
          name: "Person ada",
          roles: ["user"],
          passwordHash: null,
          emailVerifiedAt: expect.any(Date),
        },
      });
      bench.clock.advance(60_000);
      const second = await signInAt(bench, server, name, { subject: "ada" });
      expect(second.user.id).toBe(first.user.id);
      expect(await countOf("users")).toBe(1);
      const [identity] = await bench.identities.list(first.user.id);
      expect(identity).toMatchObject({ provider: name });
      expect(Date.parse(identity?.lastUsedAt ?? "")).toBeGreaterThan(
        Date.parse(identity?.createdAt ?? ""),
      );
      expect(await eventsOf("auth.register")).toHaveLength(1);
    },
  );

  test("keeps what it was begun with", async () => {
    const start = { mode: "token", returnTo: "/a?b=c#d" } as const;
    expect(await signInAt(bench, one, "one", { subject: "ada" }, { start })).toMatchObject(start);
  });

  // OIDC Core section 5.7: a subject is an issuer's, and an address is nobody's name.
  test("is the subject's, whatever address the provider gives later", async () => {
    const { user } = await signInAt(bench, one, "one", { subject: "ada" });
    one.accounts.set("ada", { email: "countess@people.example" });
    const again = await signInAt(bench, one, "one", { subject: "ada" });
    expect(again.user).toMatchObject({ id: user.id, email: "ada@people.example" });
  });

  test("of the same subject at another provider is another person's", async () => {
    two.accounts.set("ada", { email: "other.ada@people.example" });
    const first = await signInAt(bench, one, "one", { subject: "ada" });
    const second = await signInAt(bench, two, "two", { subject: "ada" });
    expect(second.user.id).not.toBe(first.user.id);
  });

  test("of a new person, eight times at once, is one account", async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => signInAt(bench, one, "one", { subject: "ada" })),
    );
    expect(new Set(all.map(({ user }) => user.id)).size).toBe(1);
    expect([await countOf("users"), await countOf("identities")]).toEqual([1, 1]);
  });

  test.each<[given: unknown, name: string]>([
    [undefined, "ada"],
    ["", "ada"],
    ["  Ada\r\nLovelace ", "Ada Lovelace"],
    ["x".repeat(300), "x".repeat(100)],
    [7, "ada"],
    ["\u0000", "New user"],
  ])("gives the name %j as %j", async (given, name) => {
    one.accounts.set("ada", { name: given });
    expect((await signInAt(bench, one, "one", { subject: "ada" })).user.name).toBe(name);
  });
});

describe("an address that has an account", () => {
  test("opens nothing: its owner signs in and links", async () => {
    const { email } = await app.signUp();
    one.accounts.set("mallory", { email });
    await expect(signInAt(bench, one, "one", { subject: "mallory" })).rejects.toMatchObject({
      code: "CONFLICT",
      message:
        "Your e-mail address has an account here. Sign in to it, and link this provider there.",
    });
    expect([await countOf("users"), await countOf("identities")]).toEqual([1, 0]);
  });

  test.each([false, undefined, "false", 1])(
    "is not told to whom the provider has not verified it: email_verified %j",
    async (email_verified) => {
      const { email } = await app.signUp();
      one.accounts.set("mallory", { email, email_verified });
      await expect(signInAt(bench, one, "one", { subject: "mallory" })).rejects.toMatchObject({
        code: "CONFLICT",
        message: "No account can be made with this e-mail address.",
      });
      expect(await countOf("identities")).toBe(0);
    },
  );

  test("whatever its case is the same", async () => {
    const { email } = await app.signUp();
    one.accounts.set("mallory", { email: email.toUpperCase() });
    await expect(signInAt(bench, one, "one", { subject: "mallory" })).rejects.toEqual(
      refusal("CONFLICT"),
    );
  });
});

describe("an address that the provider has not verified", () => {
  test("makes an account that is not verified either, where none needs to be", async () => {
    one.accounts.set("ada", { email_verified: false });
    const { user } = await signInAt(bench, one, "one", { subject: "ada" });
    expect(user.emailVerifiedAt).toBeNull();
  });

  test.each([true, false])(
    "makes none where it must be proved, taken (%s) or not",
    async (taken) => {
      bench = await makeBench(configOf(), { verification: "required" });
      const email = taken ? (await app.signUp()).email : "free@people.example";
      const before = await countOf("users");
      one.accounts.set("ada", { email, email_verified: false });
      await expect(signInAt(bench, one, "one", { subject: "ada" })).rejects.toMatchObject({
        code: "FORBIDDEN",
        message: "The provider has not verified your e-mail address.",
      });
      expect(await countOf("users")).toBe(before);
    },
  );

  test.each([undefined, ""])("is no address: %j", async (email) => {
    one.accounts.set("ada", { email });
    await expect(signInAt(bench, one, "one", { subject: "ada" })).rejects.toEqual(
      refusal("FORBIDDEN"),
    );
  });

  test.each([
    "a@b@c.example",
    "ada",
    '"a"@people.example',
    "ada@people.example\r\nbcc: x@y.example",
  ])("is none that can be written to: %j", async (email) => {
    one.accounts.set("ada", { email });
    await expect(signInAt(bench, one, "one", { subject: "ada" })).rejects.toEqual(
      refusal("VALIDATION_ERROR"),
    );
    expect(await countOf("users")).toBe(0);
  });
});

describe("a second factor at the provider", () => {
  test.each<[login: { amr?: string[]; acr?: string }, name: string, proved: boolean]>([
    [{}, "one", false],
    [{ amr: ["pwd"] }, "one", false],
    [{ amr: ["pwd", "otp"] }, "one", true],
    [{ amr: ["OTP"] }, "one", false],
    [{ amr: ["pwd", "otp"] }, "two", false],
  ])("%j at %s counts: %s", async (login, name, proved) => {
    const server = name === "one" ? one : two;
    const outcome = await signInAt(bench, server, name, { subject: "ada", ...login });
    expect(outcome.provedSecondFactor).toBe(proved);
  });

  test.each([
    ["urn:test:two", true],
    ["urn:test:one", false],
  ])("acr %s counts: %s", async (acr, proved) => {
    const config = configOf();
    bench = await makeBench({
      one: { ...(config["one"] as object), acrValues: "urn:test:two" } as never,
    });
    const { url } = await bench.start("one");
    expect(new URL(url).searchParams.get("acr_values")).toBe("urn:test:two");
    const outcome = await signInAt(bench, one, "one", { subject: "ada", acr });
    expect(outcome.provedSecondFactor).toBe(proved);
  });
});

describe("a sign-in that must be fresh", () => {
  test("is asked for, and its time is the provider's", async () => {
    const start = { fresh: true };
    const { url } = await bench.start("one", start);
    expect(new URL(url).searchParams.get("prompt")).toBe("login");
    expect(new URL(url).searchParams.get("max_age")).toBe("300");
    const before = Math.floor(Date.now() / 1_000) * 1_000;
    const { proved } = await signInAt(bench, one, "one", { subject: "ada" }, { start });
    expect(proved[0]?.at).toBeGreaterThanOrEqual(before);
    expect((proved[0]?.at ?? 0) % 1_000).toBe(0);
  });

  test("is not good when it is older", async () => {
    const { url, cookies } = await bench.start("one", { fresh: true });
    const back = await one.signIn(url, { subject: "ada" });
    bench.clock.advance(400_000);
    await expect(bench.finish("one", back, cookies)).rejects.toEqual(
      refusal("INVALID_CREDENTIALS"),
    );
  });
});

test("the sealed half of a transaction opens in no other row", async () => {
  const [first, second] = [await bench.start("one"), await bench.start("one")];
  await app.query(sql`
    UPDATE bulwark.one_time_tokens t SET data = t.data || jsonb_build_object('sealed', o.data->'sealed')
    FROM bulwark.one_time_tokens o WHERE o.id <> t.id`);
  for (const { url, cookies } of [first, second]) {
    const back = await one.signIn(url, { subject: "ada" });
    await expect(bench.finish("one", back, cookies)).rejects.toMatchObject({ name: "SealError" });
  }
});
