import { describe, expect, test } from "vitest";
import { type OidcConfig, type OidcProviderConfig, resolveOidc } from "./index.ts";

const GOOD = { issuer: "https://id.example.com", clientId: "app" };

function problemsOf(config: unknown, mode: "production" | "development" = "production"): string[] {
  const problems: string[] = [];
  resolveOidc(config as OidcConfig, mode, problems);
  return problems;
}

test("what is left out is the default", () => {
  const problems: string[] = [];
  const providers = resolveOidc({ example: GOOD }, "production", problems);
  expect(problems).toEqual([]);
  expect([...providers]).toEqual([
    [
      "example",
      {
        name: "example",
        issuer: "https://id.example.com",
        clientId: "app",
        clientSecret: undefined,
        scope: "openid email profile",
        algorithm: "RS256",
        acrValues: undefined,
        mfa: { acr: new Set(), amr: new Set() },
        displayName: "example",
      },
    ],
  ]);
});

test("everything that can be said is kept", () => {
  const providers = resolveOidc(
    {
      "a-1": {
        ...GOOD,
        clientSecret: "s",
        scopes: ["openid"],
        algorithm: "ES256",
        acrValues: "urn:two urn:three",
        mfa: { acr: ["urn:two"], amr: ["otp", "hwk"] },
        displayName: "Example ID",
      },
    },
    "production",
    [],
  );
  expect(providers.get("a-1")).toMatchObject({
    clientSecret: "s",
    scope: "openid",
    algorithm: "ES256",
    acrValues: "urn:two urn:three",
    mfa: { acr: new Set(["urn:two"]), amr: new Set(["otp", "hwk"]) },
    displayName: "Example ID",
  });
});

test("no providers are no problem", () => {
  expect(problemsOf(undefined)).toEqual([]);
  expect(problemsOf({})).toEqual([]);
});

const issuer = 'an https URL without a query, such as "https://id.example.com"';
const algorithms =
  "one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519";

describe("a fault names the field, what was expected and what came", () => {
  test.each<
    [change: Partial<Record<keyof OidcProviderConfig, unknown>> & { typo?: 1 }, problem: string]
  >([
    [
      { issuer: "http://id.example.com" },
      `.issuer: expected ${issuer}, came "http://id.example.com"`,
    ],
    [{ issuer: "http://localhost:1" }, `.issuer: expected ${issuer}, came "http://localhost:1"`],
    [{ issuer: "id.example.com" }, `.issuer: expected ${issuer}, came "id.example.com"`],
    [
      { issuer: "https://x.example?a=1" },
      `.issuer: expected ${issuer}, came "https://x.example?a=1"`,
    ],
    [{ issuer: "https://x.example#a" }, `.issuer: expected ${issuer}, came "https://x.example#a"`],
    [
      { issuer: "https://x.example/.well-known/openid-configuration" },
      `.issuer: expected ${issuer}, came "https://x.example/.well-known/openid-configuration"`,
    ],
    [{ issuer: undefined }, `.issuer: expected ${issuer}, came nothing`],
    [{ clientId: "" }, '.clientId: expected a text, came ""'],
    [{ clientSecret: 7 }, '.clientSecret: expected a text, came "number"'],
    [{ scopes: ["email"] }, '.scopes: expected a list of scopes with "openid", came ["email"]'],
    [{ scopes: "openid" }, '.scopes: expected a list of scopes with "openid", came "openid"'],
    [
      { scopes: ["openid", "a b"] },
      '.scopes: expected a list of scopes with "openid", came ["openid","a b"]',
    ],
    // RFC 8725 section 3.2: "none", and a MAC whose key a client shares.
    [{ algorithm: "none" }, `.algorithm: expected ${algorithms}, came "none"`],
    [{ algorithm: "HS256" }, `.algorithm: expected ${algorithms}, came "HS256"`],
    [{ acrValues: "a  b" }, '.acrValues: expected values separated by single spaces, came "a  b"'],
    [{ mfa: { amr: "otp" } }, '.mfa.amr: expected a list of values, came "otp"'],
    [{ mfa: { acr: [1] } }, ".mfa.acr: expected a list of values, came [1]"],
    [{ mfa: { arm: ["otp"] } }, '.mfa: expected acr and amr alone, came "arm"'],
    [{ displayName: "" }, '.displayName: expected a text of 1 to 500 characters, came ""'],
    [
      { typo: 1 },
      ': expected one of issuer, clientId, clientSecret, scopes, algorithm, acrValues, mfa, displayName, came "typo"',
    ],
  ])("%j", (change, problem) => {
    expect(problemsOf({ example: { ...GOOD, ...change } })).toEqual([`oidc.example${problem}`]);
  });

  test.each(["", "A", "1a", "a_b", "a/b", "constructor!", "a".repeat(33)])(
    "the name %j",
    (name) => {
      expect(problemsOf({ [name]: GOOD })).toEqual([
        `oidc: expected names such as "example-id", came ${JSON.stringify(name)}`,
      ]);
    },
  );

  test("a provider that is none", () => {
    expect(problemsOf({ a: null, b: "https://id.example.com" })).toEqual([
      "oidc.a: expected an object, came null",
      'oidc.b: expected an object, came "https://id.example.com"',
    ]);
  });

  test("all of them at once", () => {
    expect(problemsOf({ a: { issuer: "x", clientId: 1 }, B: GOOD })).toHaveLength(3);
  });

  test("no secret is shown", () => {
    const secrets = { clientSecret: "hunter2\n", issuer: "https://user:hunter2@id.example.com" };
    const shown = problemsOf({ example: { ...GOOD, ...secrets } });
    expect(shown).toHaveLength(2);
    expect(shown.join()).not.toContain("hunter2");
  });

  // RFC 9207 section 2.4: issuers tell providers apart only while each has its own.
  test("two providers of one issuer", () => {
    expect(problemsOf({ a: GOOD, b: { ...GOOD, clientId: "other" } })).toEqual([
      'oidc.b.issuer: expected another than that of oidc.a, came "https://id.example.com"',
    ]);
  });
});

describe("http", () => {
  test.each(["http://localhost:9", "http://127.0.0.1:9", "http://[::1]:9/realm"])(
    "%s is good in development alone",
    (url) => {
      expect(problemsOf({ a: { ...GOOD, issuer: url } }, "development")).toEqual([]);
      expect(problemsOf({ a: { ...GOOD, issuer: url } })).toHaveLength(1);
    },
  );

  test.each(["http://id.example.com", "http://localhost.example.com", "http://127.0.0.1.nip.io"])(
    "%s is never",
    (url) => {
      expect(problemsOf({ a: { ...GOOD, issuer: url } }, "development")).toHaveLength(1);
    },
  );
});
