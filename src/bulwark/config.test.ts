import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../core/index.ts";
import { type BulwarkConfig, resolveConfig } from "./config.ts";

const SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const DEFAULT_LIMITS = {
  address: { requests: 6_000, window: "1m" },
  login: { requests: 100, window: "1m" },
  register: { requests: 30, window: "1m" },
  anonymous: { requests: 600, window: "1m" },
  user: { requests: 1_200, window: "1m" },
  mail: { requests: 5, window: "1h" },
};
const good: BulwarkConfig = { issuer: "https://api.example.com", emailVerification: "off" };

/** What is wrong with a good configuration after a change; none where it is still good. */
const problemsOf = (change: Readonly<Record<string, unknown>>): readonly string[] => {
  try {
    resolveConfig({ ...good, ...change } as BulwarkConfig);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  return [];
};

describe("what is left out is the safe default", () => {
  test("in production", () => {
    expect(resolveConfig(good)).toEqual({
      issuer: "https://api.example.com",
      mode: "production",
      hosts: ["api.example.com"],
      secrets: undefined,
      database: { dataDir: ".bulwark" },
      redisUrl: undefined,
      limits: DEFAULT_LIMITS,
      emailVerification: "off",
      smtp: undefined,
      auth: { productName: "api.example.com", adminMfa: "required" },
      csrfOrigins: ["https://api.example.com"],
      csrfExempt: [],
      headers: {},
      apiKeys: {},
      bans: {},
      bodies: {
        maxBytes: 1_048_576,
        rules: {
          coding: { codings: ["gzip", "deflate", "br"], maxRatio: 100 },
          json: { depth: 32, keys: 10_000, elements: 100_000 },
        },
      },
      processes: 1,
      edge: { https: "insecureOptional", handlerTimeoutMs: 30_000, loadThresholdMs: 1_000 },
    });
  });

  test("in development, where this machine's names are served too", () => {
    const config = resolveConfig({ issuer: "http://localhost:3000", mode: "development" });
    expect(config.hosts).toEqual([
      "localhost:3000",
      "localhost:3000",
      "127.0.0.1:3000",
      "[::1]:3000",
    ]);
    expect(config.emailVerification).toBe("off");
  });

  test("no local name is served in production", () => {
    const { hosts } = resolveConfig({ ...good, hosts: ["b.example.com"] });
    expect(hosts).toEqual(["api.example.com", "b.example.com"]);
  });

  test("a limit that is named replaces its default alone", () => {
    const login = { requests: 5, window: "10m" };
    expect(resolveConfig({ ...good, limits: { login } }).limits).toEqual({
      ...DEFAULT_LIMITS,
      login,
    });
  });
});

describe("what is wrong is named: the field, what was expected, what came", () => {
  const HTTPS = 'issuer: expected an https origin such as "https://api.example.com"';
  const BYTES = "expected 32 random bytes in base64url, came";

  test.each<[change: Readonly<Record<string, unknown>>, problems: readonly string[]]>([
    [{ issuer: undefined }, [`${HTTPS}, came nothing`]],
    [{ issuer: "" }, [`${HTTPS}, came ""`]],
    [{ issuer: "api.example.com" }, [`${HTTPS}, came "api.example.com"`]],
    [{ issuer: "http://api.example.com" }, [`${HTTPS}, came "http://api.example.com"`]],
    [{ issuer: "https://api.example.com/x" }, [`${HTTPS}, came "https://api.example.com/x"`]],
    [{ issuer: "https://api.example.com?x" }, [`${HTTPS}, came "https://api.example.com?x"`]],
    [{ issuer: "ftp://api.example.com" }, [`${HTTPS}, came "ftp://api.example.com"`]],
    [{ issuer: 7 }, [`${HTTPS}, came 7`]],
    [{ mode: "staging" }, ['mode: expected "production" or "development", came "staging"']],
    [{ secret: [] }, ["secret: expected at least one, came an empty list"]],
    [
      { secret: "" },
      [`secret[0]: ${BYTES} a value of 0 characters that is not base64url of 32 bytes or more`],
    ],
    [
      { secret: [SECRET, "a".repeat(43)] },
      [`secret[1]: ${BYTES} a value that repeats too few characters`],
    ],
    [
      { limits: { login: { requests: 0, window: "1m" } } },
      ["limits.login: expected whole requests of at least 1, came 0"],
    ],
    [
      { limits: { login: { requests: 1, window: "1y" } } },
      ['limits.login: expected a duration such as "30s", "15m" or "1h", came "1y"'],
    ],
    [
      { limits: { constructor: { requests: 1, window: "1m" } } },
      [
        'limits: expected one of address, login, register, anonymous, user, mail, global, role:NAME, came "constructor"',
      ],
    ],
    [
      { emailVerification: "required" },
      ["smtp: expected a mail server while emailVerification is required, came nothing"],
    ],
    [{ emailVerification: "yes" }, ['emailVerification: expected "off" or "required", came "yes"']],
    [
      { csrfOrigins: ["https://app.example.com", "https://app.example.com/", "null", "x"] },
      [1, 2, 3].map(
        (index) =>
          `csrfOrigins[${index}]: expected an origin such as "https://app.example.com", without a path, in lower case, came ${["", '"https://app.example.com/"', '"null"', '"x"'][index]}`,
      ),
    ],
    [
      { bodies: { maxBytes: 0, maxRatio: 1.5, codings: ["gzip", "zstd"], json: { depth: 1_001 } } },
      [
        "bodies.maxBytes: expected a whole number from 1 to 1000000000, came 0",
        "bodies.maxRatio: expected a whole number from 1 to 10000, came 1.5",
        'bodies.codings: expected "gzip", "deflate", "br", came "zstd"',
        "bodies.json.depth: expected a whole number from 1 to 1000, came 1001",
      ],
    ],
    [
      { bodies: { json: { keys: -1, elements: "9" } } },
      [
        "bodies.json.keys: expected a whole number from 1 to 1000000000, came -1",
        'bodies.json.elements: expected a whole number from 1 to 1000000000, came "9"',
      ],
    ],
    [{ auth: { lockAfter: 0 } }, ["auth.lockAfter: expected a whole number of at least 1, came 0"]],
    [
      { auth: { tokenAlgorithm: "none" } },
      ['auth.tokenAlgorithm: expected "HS256" or "EdDSA" or "ES256", came "none"'],
    ],
    [
      { auth: { productName: "a\nb" } },
      ['auth.productName: expected 1 to 64 characters that can be shown, came "a\\nb"'],
    ],
    [
      { smtp: { url: "http://mail.example.com" } },
      [
        "SMTP_URL: expected smtps://user:password@host or smtp://user:password@host, came another text",
      ],
    ],
    ...[11, 16, 12.5, "12", Number.NaN].map((cost): [{ auth: object }, string[]] => [
      { auth: { bcryptCost: cost } },
      [`auth.bcryptCost: expected a whole number from 12 to 15, came ${cost}`],
    ]),
    [
      { auth: { deviceLifetime: "1y" } },
      ['auth.deviceLifetime: expected a duration such as "30s", "15m" or "1h", came "1y"'],
    ],
    ...["com", "evil.com", "le.com", "b.api.example.com", "Example.com", "example.com.", ""].map(
      (domain): [{ auth: object }, string[]] => [
        { auth: { passkeyDomain: domain } },
        [
          `auth.passkeyDomain: expected "api.example.com" or a domain above it, came ${JSON.stringify(domain)}`,
        ],
      ],
    ),
    [{ auth: { adminMfa: "no" } }, ['auth.adminMfa: expected "required" or "off", came "no"']],
  ])("%j", (change, problems) => {
    expect(problemsOf(change)).toEqual(problems);
  });

  test("all of it at once", () => {
    const all = { issuer: "x", mode: "y", secret: "z", emailVerification: "w" };
    expect(problemsOf(all).map((problem) => problem.split(":")[0])).toEqual([
      "mode",
      "issuer",
      "secret[0]",
      "emailVerification",
    ]);
  });
});

test.each([
  ["https://api.example.com", "api.example.com"],
  ["https://api.example.com", "example.com"],
  ["https://a.b.example.com:8443", "b.example.com"],
  ["http://localhost:3000", "localhost"],
  ["http://127.0.0.1:3000", "127.0.0.1"],
])("%s may have the passkeys of %s", (issuer, passkeyDomain) => {
  const { auth } = resolveConfig({ ...good, mode: "development", issuer, auth: { passkeyDomain } });
  expect(auth.passkeyDomain).toBe(passkeyDomain);
});

test.each([
  ["http://127.0.0.1:3000", "0.1"],
  ["http://127.0.0.1:3000", "0.0.1"],
  ["http://[::1]:3000", "1]"],
])("%s may not have those of %s", (issuer, passkeyDomain) => {
  const problems = problemsOf({ mode: "development", issuer, auth: { passkeyDomain } });
  expect(problems.map((problem) => problem.split(":")[0])).toEqual(["auth.passkeyDomain"]);
});

test("no secret is printed", () => {
  const canary = "hunter2hunter2hunter2";
  const problems = problemsOf({
    issuer: `https://admin:${canary}@api.example.com`,
    secret: [canary, `${canary}${canary}`],
    database: { url: `mysql://app:${canary}@db/app` },
  });
  expect(problems.length).toBeGreaterThan(2);
  expect(problems.join("\n")).not.toContain(canary);
});

test.each(["https://api.example.com", "https://api.example.com/", "https://api.example.com:8443"])(
  "%s is an issuer, in its one spelling",
  (issuer) => {
    expect(resolveConfig({ ...good, issuer }).issuer).toBe(new URL(issuer).origin);
  },
);
