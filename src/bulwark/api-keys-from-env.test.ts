import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { apiKeysFromEnv } from "./api-keys-from-env.ts";
import { configFromEnv } from "./config-from-env.ts";
import type { Env } from "./env.ts";

const { publicKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const PARTNERS = [{ name: "github", keys: { "key-1": publicKey } }];

const problemsOf = (env: Env): readonly string[] => {
  const problems: string[] = [];
  apiKeysFromEnv(env, problems);
  return problems;
};

test("every variable has its place", () => {
  const env = {
    BULWARK_API_KEY_PREFIX: "acme",
    BULWARK_API_KEY_ENVIRONMENT: "test",
    BULWARK_API_KEY_BEARER: "on",
    BULWARK_API_KEY_LIFETIME: "90d",
    BULWARK_API_KEY_MAX_LIFETIME: "365d",
    BULWARK_API_KEY_LIMIT: "600/1m",
    BULWARK_API_KEY_MAX_PER_OWNER: "5",
    BULWARK_API_KEY_PARTNERS: JSON.stringify(PARTNERS),
  };
  expect(configFromEnv(env, { dev: true }).apiKeys).toEqual({
    prefix: "acme",
    environment: "test",
    bearer: true,
    lifetime: "90d",
    maxLifetime: "365d",
    limit: { requests: 600, window: "1m" },
    maxPerOwner: 5,
    partners: PARTNERS,
  });
});

test("without any the defaults stand, also where all are empty", () => {
  expect(configFromEnv({}, { dev: true }).apiKeys).toBeUndefined();
  expect(configFromEnv({ BULWARK_API_KEY_PREFIX: " " }, { dev: true }).apiKeys).toBeUndefined();
  expect(apiKeysFromEnv({ BULWARK_API_KEY_BEARER: "off" }, [])).toMatchObject({ bearer: false });
});

const DURATION = 'expected a duration such as "30s", "15m" or "1h"';
const JSON_FORM = `BULWARK_API_KEY_PARTNERS: expected JSON such as [{"name":"github","keys":{"id":"PEM"}}], came another text`;
const partnersOf = (partners: unknown): Env => ({
  BULWARK_API_KEY_PARTNERS: JSON.stringify(partners),
});

test.each<[env: Env, problem: string]>([
  ...["A", "a", "my_app", "__proto__"].map((prefix): [Env, string] => [
    { BULWARK_API_KEY_PREFIX: prefix },
    `BULWARK_API_KEY_PREFIX: expected 2 to 16 small letters and digits, a letter first, came "${prefix}"`,
  ]),
  [
    { BULWARK_API_KEY_ENVIRONMENT: "staging" },
    'BULWARK_API_KEY_ENVIRONMENT: expected "live" or "test", came "staging"',
  ],
  [
    { BULWARK_API_KEY_BEARER: "true" },
    'BULWARK_API_KEY_BEARER: expected "on" or "off", came "true"',
  ],
  [{ BULWARK_API_KEY_LIFETIME: "soon" }, `BULWARK_API_KEY_LIFETIME: ${DURATION}, came "soon"`],
  [
    { BULWARK_API_KEY_MAX_LIFETIME: "never" },
    `BULWARK_API_KEY_MAX_LIFETIME: ${DURATION}, came "never"`,
  ],
  [
    { BULWARK_API_KEY_MAX_LIFETIME: "30d" },
    'BULWARK_API_KEY_LIFETIME: expected at most BULWARK_API_KEY_MAX_LIFETIME, came "365d"',
  ],
  [
    { BULWARK_API_KEY_LIMIT: "600" },
    'BULWARK_API_KEY_LIMIT: expected requests/window, such as 600/1m, came "600"',
  ],
  [{ BULWARK_API_KEY_LIMIT: "600/soon" }, `BULWARK_API_KEY_LIMIT.window: ${DURATION}, came "soon"`],
  [
    { BULWARK_API_KEY_MAX_PER_OWNER: "0" },
    'BULWARK_API_KEY_MAX_PER_OWNER: expected a whole number from 1, came "0"',
  ],
  [{ BULWARK_API_KEY_PARTNERS: "github" }, JSON_FORM],
  [partnersOf({ name: "github", keys: {} }), JSON_FORM],
  [partnersOf([null]), JSON_FORM],
  [partnersOf([{ name: "github" }]), JSON_FORM],
  [partnersOf([{ name: "github", keys: { a: 1 } }]), JSON_FORM],
  [partnersOf([{ ...PARTNERS[0], header: "x" }]), JSON_FORM],
  [
    partnersOf([{ name: "github", keys: {} }]),
    "BULWARK_API_KEY_PARTNERS[0].keys: expected at least one public key, came nothing",
  ],
  [
    partnersOf([{ name: "github", keys: { "key-1": "x" } }]),
    'BULWARK_API_KEY_PARTNERS[0].keys: expected ids with public keys of ECDSA on P-256 in PEM, came "key-1"',
  ],
])("%j is refused by its name", (env, problem) => {
  expect(problemsOf(env)).toEqual([problem]);
});
