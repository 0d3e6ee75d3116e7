import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { type APIKeyConfig, checkAPIKeyConfig, keySettings } from "./key-config.ts";

const pem = (curve: string): string =>
  generateKeyPairSync("ec", { namedCurve: curve }).publicKey.export({
    type: "spki",
    format: "pem",
  }) as string;
const P256 = pem("prime256v1");
const PRIVATE = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({
  type: "pkcs8",
  format: "pem",
}) as string;
const RSA = generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey.export({
  type: "spki",
  format: "pem",
}) as string;
const partner = (keys: Readonly<Record<string, string>>): APIKeyConfig => ({
  partners: [{ name: "github", keys }],
});

test("the defaults", () => {
  expect(keySettings({})).toEqual({
    prefix: "bwk",
    environment: "live",
    bearer: false,
    lifetimeMs: 365 * 86_400_000,
    maxLifetimeMs: 3_650 * 86_400_000,
    limit: { name: "key", requests: 1_200, windowMs: 60_000, onFailure: "deny" },
    maxPerOwner: 50,
    partners: [],
  });
});

test.each<[config: unknown, problem: string]>([
  [
    { prefix: "My" },
    'apiKeys.prefix: expected 2 to 16 small letters and digits, a letter first, came "My"',
  ],
  [{ environment: "prod" }, 'apiKeys.environment: expected "live" or "test", came "prod"'],
  [{ bearer: "yes" }, 'apiKeys.bearer: expected true or false, came "yes"'],
  [{ maxPerOwner: 0 }, "apiKeys.maxPerOwner: expected a whole number of at least 1, came 0"],
  [
    { lifetime: "1y" },
    'apiKeys.lifetime: expected a duration such as "30s", "15m" or "1h", came "1y"',
  ],
  [
    { maxLifetime: "0d" },
    'apiKeys.maxLifetime: expected a duration such as "30s", "15m" or "1h", came "0d"',
  ],
  [
    { lifetime: "90d", maxLifetime: "30d" },
    'apiKeys.lifetime: expected at most apiKeys.maxLifetime, came "90d"',
  ],
  [
    { limit: { requests: 0, window: "1m" } },
    "apiKeys.limit.requests: expected a whole number from 1, came 0",
  ],
  [
    { partners: [{ name: "Git Hub", keys: { a: P256 } }] },
    'apiKeys.partners[0].name: expected 1 to 32 small letters, digits and dashes, came "Git Hub"',
  ],
  [partner({}), "apiKeys.partners[0].keys: expected at least one public key, came nothing"],
  ...[pem("secp384r1"), RSA, PRIVATE, "", "no pem"].map((key): [unknown, string] => [
    partner({ k1: key }),
    'apiKeys.partners[0].keys: expected ids with public keys of ECDSA on P-256 in PEM, came "k1"',
  ]),
  [
    { partners: [{ name: "github", keys: { a: P256 }, signatureHeader: "X Y" }] },
    'apiKeys.partners[0].signatureHeader: expected a header\'s name in small letters, came "X Y"',
  ],
])("%j is refused", (config, problem) => {
  expect(checkAPIKeyConfig(config as APIKeyConfig)).toEqual([problem]);
  expect(() => keySettings(config as APIKeyConfig)).toThrow(new TypeError(problem));
});

test("no problem shows a key", () => {
  expect(checkAPIKeyConfig(partner({ k1: PRIVATE })).join()).not.toContain("PRIVATE");
});

test("a partner's headers are those of GitHub, unless others are named", () => {
  const [one, other] = keySettings({
    partners: [
      { name: "github", keys: { k1: P256 } },
      { name: "own", keys: { k1: P256 }, keyIdHeader: "x-id", signatureHeader: "x-sig" },
    ],
  }).partners;
  expect(one).toMatchObject({
    keyIdHeader: "github-public-key-identifier",
    signatureHeader: "github-public-key-signature",
  });
  expect(other).toMatchObject({ keyIdHeader: "x-id", signatureHeader: "x-sig" });
});
