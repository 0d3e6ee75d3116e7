import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { configFromEnv } from "./config-from-env.ts";
import type { Env } from "./env.ts";

const SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const production: Env = {
  BULWARK_ISSUER: "https://api.example.com",
  BULWARK_SECRET: SECRET,
  BULWARK_EMAIL_VERIFICATION: "off",
};

const problemsOf = (env: Env, dev = false): readonly string[] => {
  try {
    configFromEnv(env, { dev });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
};

describe("an empty environment", () => {
  const defaults = {
    host: "127.0.0.1",
    port: 3000,
    issuer: "http://localhost:3000",
    mode: "development",
    database: { dataDir: ".bulwark" },
  };

  test("is enough for a development start", () => {
    expect(configFromEnv({}, { dev: true })).toMatchObject(defaults);
  });

  test("with a port: the issuer is an origin, which does not say its scheme's own", () => {
    expect(configFromEnv({ PORT: "80" }, { dev: true }).issuer).toBe("http://localhost");
    expect(configFromEnv({ PORT: "8080" }, { dev: true }).issuer).toBe("http://localhost:8080");
  });

  test("and one of empty variables is the same", () => {
    const names = [
      "HOST",
      "PORT",
      "BULWARK_ISSUER",
      "BULWARK_SECRET",
      "DATABASE_URL",
      "BULWARK_HOSTS",
      "BULWARK_LIMITS",
      "BULWARK_EMAIL_VERIFICATION",
    ];
    const empty = Object.fromEntries(names.map((name) => [name, " "]));
    expect(configFromEnv(empty, { dev: true })).toEqual(configFromEnv({}, { dev: true }));
    expect(configFromEnv({ BULWARK_HOSTS: " , " }, { dev: true }).hosts).toBeUndefined();
  });

  test("does not start production", () => {
    expect(problemsOf({})).toEqual([
      "BULWARK_ISSUER: expected an https origin in production, came nothing",
      "BULWARK_SECRET: expected 32 random bytes in base64url (bulwark secret generate), came nothing",
      "SMTP_URL: expected a mail server while BULWARK_EMAIL_VERIFICATION is required, came nothing",
    ]);
  });
});

test("NODE_ENV decides nothing: production is the default", () => {
  expect(configFromEnv({ ...production, NODE_ENV: "development" }).mode).toBe("production");
  expect(configFromEnv({ NODE_ENV: "production" }, { dev: true }).mode).toBe("development");
});

test("every variable has its place", () => {
  const config = configFromEnv({
    ...production,
    HOST: "0.0.0.0",
    PORT: "8080",
    BULWARK_SECRET: ` ${SECRET} , b `,
    BULWARK_HOSTS: "a.example, b.example:8443",
    BULWARK_TRUSTED_PROXIES: "10.0.0.0/8,fd00::/8",
    BULWARK_LIMITS: "login=20/1m, user=600/30s",
    BULWARK_LIMIT_FAILURE: "user=deny,address=insecureAllow",
    BULWARK_BANS: "500/5m",
    BULWARK_BAN_STEPS: "5m, 1h",
    BULWARK_METRICS_TOKEN: "m".repeat(32),
    DATABASE_URL: "postgres://app:x@db/app",
    REDIS_URL: "rediss://:x@cache",
  });
  expect(config).toMatchObject({
    mode: "production",
    issuer: "https://api.example.com",
    host: "0.0.0.0",
    port: 8080,
    secret: [SECRET, "b"],
    hosts: ["a.example", "b.example:8443"],
    trustedProxies: ["10.0.0.0/8", "fd00::/8"],
    limits: {
      login: { requests: 20, window: "1m" },
      user: { requests: 600, window: "30s", onFailure: "deny" },
      address: { requests: 6_000, window: "1m", onFailure: "insecureAllow" },
    },
    bans: { strikes: { requests: 500, window: "5m" }, steps: ["5m", "1h"] },
    metricsToken: "m".repeat(32),
    database: { url: "postgres://app:x@db/app" },
    redisUrl: "rediss://:x@cache",
    emailVerification: "off",
  });
});

test("bans are switched off by a word, and a ladder alone keeps the default of what leads to it", () => {
  const at = (env: Env) => configFromEnv(env, { dev: true }).bans;
  expect(at({ BULWARK_BANS: "off" })).toBe("off");
  expect(at({ BULWARK_BAN_STEPS: "5m" })).toEqual({ steps: ["5m"] });
  expect(at({})).toBeUndefined();
});

test.each<[env: Env, bodies: object]>([
  [{}, { maxBytes: undefined, codings: undefined }],
  [{ BULWARK_MAX_BODY_BYTES: "65536" }, { maxBytes: 65_536, codings: undefined }],
  [{ BULWARK_BODY_CODINGS: "br, gzip" }, { maxBytes: undefined, codings: ["gzip", "br"] }],
  [{ BULWARK_BODY_CODINGS: "none" }, { maxBytes: undefined, codings: [] }],
])("%j is %j of bodies", (env, bodies) => {
  expect(configFromEnv(env, { dev: true }).bodies).toEqual(bodies);
});

test("the data folder is PGlite's, and stands aside for a database", () => {
  const at = (env: Env) => configFromEnv(env, { dev: true }).database;
  expect(at({ BULWARK_DATA_DIR: "/var/b" })).toEqual({ dataDir: "/var/b" });
  expect(at({ BULWARK_DATA_DIR: "/var/b", DATABASE_URL: "postgresql://db/a" })).toEqual({
    url: "postgresql://db/a",
  });
});

describe("what is wrong is named: the variable, what was expected, what came", () => {
  const LOOPBACK = "HOST: expected a loopback address in development mode, such as 127.0.0.1";
  const PORT = "PORT: expected a number from 1 to 65535";
  const LIMITS = "BULWARK_LIMITS: expected name=requests/window, such as login=20/1m";
  const FAILURE = "BULWARK_LIMIT_FAILURE: expected name=deny, name=local or name=insecureAllow";
  const NAMES =
    "BULWARK_LIMIT_FAILURE: expected one of address, login, register, anonymous, user, mail";
  const BANS = 'BULWARK_BANS: expected "off" or refusals/window, such as 1000/10m';
  const DURATION = 'expected a duration such as "30s", "15m" or "1h"';

  test.each<[env: Env, problem: string]>([
    [{ HOST: "0.0.0.0" }, `${LOOPBACK}, came "0.0.0.0"`],
    [{ HOST: "::" }, `${LOOPBACK}, came "::"`],
    [{ HOST: "127.0.0.1.evil.example" }, `${LOOPBACK}, came "127.0.0.1.evil.example"`],
    [{ HOST: "localhost.example" }, `${LOOPBACK}, came "localhost.example"`],
    [{ PORT: "0" }, `${PORT}, came "0"`],
    [{ PORT: "65536" }, `${PORT}, came "65536"`],
    [{ PORT: "80x" }, `${PORT}, came "80x"`],
    [{ PORT: "-1" }, `${PORT}, came "-1"`],
    [{ PORT: "1e3" }, `${PORT}, came "1e3"`],
    [{ BULWARK_LIMITS: "login" }, `${LIMITS}, came "login"`],
    [{ BULWARK_LIMITS: "login=20" }, `${LIMITS}, came "login=20"`],
    [{ BULWARK_LIMITS: "login=-1/1m" }, `${LIMITS}, came "login=-1/1m"`],
    [{ BULWARK_LIMITS: "__proto__=1/1m" }, `${LIMITS}, came "__proto__=1/1m"`],
    [{ BULWARK_LIMIT_FAILURE: "user" }, `${FAILURE}, came "user"`],
    [{ BULWARK_LIMIT_FAILURE: "user=allow" }, `${FAILURE}, came "user=allow"`],
    [{ BULWARK_LIMIT_FAILURE: "global=deny" }, `${NAMES}, came "global"`],
    [{ BULWARK_LIMIT_FAILURE: "constructor=deny" }, `${NAMES}, came "constructor"`],
    [{ BULWARK_BANS: "on" }, `${BANS}, came "on"`],
    [{ BULWARK_BANS: "0/10m" }, `${BANS}, came "0/10m"`],
    [{ BULWARK_BANS: "1000" }, `${BANS}, came "1000"`],
    [{ BULWARK_BANS: "1000/soon" }, `BULWARK_BANS: ${DURATION}, came "soon"`],
    [{ BULWARK_BAN_STEPS: "1m,later" }, `BULWARK_BAN_STEPS: ${DURATION}, came "later"`],
    [
      { BULWARK_BANS: "off", BULWARK_BAN_STEPS: "1m" },
      "BULWARK_BAN_STEPS: expected nothing while BULWARK_BANS is off, came a list",
    ],
    [
      { BULWARK_MAX_BODY_BYTES: "1MB" },
      'BULWARK_MAX_BODY_BYTES: expected a whole number from 1 to 999999999, came "1MB"',
    ],
    [
      { BULWARK_MAX_BODY_BYTES: "0" },
      'BULWARK_MAX_BODY_BYTES: expected a whole number from 1 to 999999999, came "0"',
    ],
    ...["zstd", "gzip,none", "none,br"].map((codings): [Env, string] => [
      { BULWARK_BODY_CODINGS: codings },
      `BULWARK_BODY_CODINGS: expected gzip, deflate, br or none, came ${codings === "zstd" ? '"zstd"' : '"none"'}`,
    ]),
    [
      { BULWARK_EMAIL_VERIFICATION: "yes" },
      'BULWARK_EMAIL_VERIFICATION: expected "off" or "required", came "yes"',
    ],
    [
      { BULWARK_METRICS_TOKEN: "short" },
      "BULWARK_METRICS_TOKEN: expected at least 32 characters, came a value of 5",
    ],
    [
      { DATABASE_URL: "mysql://db/a" },
      "DATABASE_URL: expected postgres://user:password@host/database, came another text",
    ],
    [
      { REDIS_URL: "http://cache" },
      "REDIS_URL: expected rediss://user:password@host, came another text",
    ],
  ])("%j", (env, problem) => {
    expect(problemsOf(env, true)).toEqual([problem]);
  });

  test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("%s is loopback", (HOST) => {
    expect(configFromEnv({ HOST }, { dev: true }).host).toBe(HOST);
  });
});

test("no secret is printed, whatever variable it stands in wrongly", () => {
  const canary = "hunter2hunter2";
  const problems = problemsOf({
    PORT: "x",
    BULWARK_SECRET: canary,
    DATABASE_URL: `app:${canary}@db`,
    REDIS_URL: `cache:${canary}`,
    SMTP_URL: `smtp://u:${canary}@mail`,
    BULWARK_METRICS_TOKEN: canary,
  });
  expect(problems.length).toBeGreaterThan(3);
  expect(problems.join("\n")).not.toContain(canary);
});
