import { type Clock, ConfigurationError, type Log, parseDuration } from "../core/index.ts";
import { secretProblem } from "../crypto/index.ts";
import type { MigrationSet } from "../database/index.ts";

/** Where the data lives. */
export type DatabaseConfig =
  | { readonly dataDir: string }
  | { readonly insecureInMemory: true }
  | {
      /** Such as `postgres://user:password@db.example.com/app`. Verified TLS in production, unless it is on this machine. */
      readonly url: string;
      /** Default 10. */
      readonly maxConnections?: number | undefined;
      /** Longest statement. Default 10s. */
      readonly statementTimeout?: string | undefined;
      /** Longest wait for a connection. Default 5s. */
      readonly connectionTimeout?: string | undefined;
    };

export interface LimitConfig {
  readonly requests: number;
  readonly window: string;
}

/** BulwarkConfig is all that an application decides; what it leaves out is the safe default. */
export interface BulwarkConfig {
  /** Origin of the API, such as `https://api.example.com`: `iss` of tokens, and the Host that is served. https in production. */
  readonly issuer: string;
  /** Default `production`. */
  readonly mode?: "production" | "development" | undefined;
  /** Hosts served besides the issuer's. Default none; development adds localhost, 127.0.0.1 and [::1] on the issuer's port. */
  readonly hosts?: readonly string[] | undefined;
  /** 32 random bytes in base64url, or several, newest first. Default: generated in the data folder, in development on PGlite alone. */
  readonly secret?: string | readonly string[] | undefined;
  /** Default `{ dataDir: '.bulwark' }`: PGlite in that folder. */
  readonly database?: DatabaseConfig | undefined;
  /** Short-lived state, such as `rediss://user:password@redis.example.com`. Default: this process's memory. */
  readonly redisUrl?: string | undefined;
  /** Addresses and CIDR ranges of our own proxies. Default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The one header that they write. Default `x-forwarded-for`. */
  readonly forwardedHeader?: "x-forwarded-for" | "forwarded" | undefined;
  /** Overrides of the default limits, by name. */
  readonly limits?: Readonly<Record<string, LimitConfig>> | undefined;
  /** Whether an address must be proved before its first session. Default `required`, `off` in development. */
  readonly emailVerification?: "off" | "required" | undefined;
  /** Migration sets of the application's own tables, run after Bulwark's. Default none. */
  readonly migrations?: readonly MigrationSet[] | undefined;
  /** Version in every envelope. Default `1`. */
  readonly version?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
}

/** The limits that stand without a word of configuration. The first three count by address before authentication. */
const DEFAULT_LIMITS: Readonly<Record<string, LimitConfig>> = {
  address: { requests: 6_000, window: "1m" },
  login: { requests: 100, window: "1m" },
  register: { requests: 30, window: "1m" },
  anonymous: { requests: 600, window: "1m" },
  user: { requests: 1_200, window: "1m" },
};

export interface ResolvedConfig {
  readonly issuer: string;
  readonly mode: "production" | "development";
  readonly hosts: readonly string[];
  readonly secrets: readonly string[] | undefined;
  readonly database: DatabaseConfig;
  readonly redisUrl: string | undefined;
  readonly limits: Readonly<Record<string, LimitConfig>>;
  readonly emailVerification: "off" | "required";
}

/** resolveConfig checks a configuration and fills in its defaults. Throws a ConfigurationError that lists every problem. */
export function resolveConfig(config: BulwarkConfig): ResolvedConfig {
  const problems: string[] = [];
  const mode = config.mode ?? "production";
  if (mode !== "production" && mode !== "development") {
    problems.push(`mode: expected "production" or "development", came ${JSON.stringify(mode)}`);
  }
  const issuer = checkIssuer(config.issuer, mode, problems);
  const secrets = checkSecrets(config.secret, problems);
  const limits = checkLimits(config.limits ?? {}, problems);
  const emailVerification =
    config.emailVerification ?? (mode === "development" ? "off" : "required");
  if (emailVerification !== "off") {
    problems.push(
      'emailVerification: expected "off" until mail is configured, came "required" (production\'s default)',
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  const own = new URL(issuer);
  const local = mode === "development" ? localHosts(own) : [];
  return {
    issuer,
    mode,
    hosts: [own.host, ...(config.hosts ?? []), ...local],
    secrets,
    database: config.database ?? { dataDir: ".bulwark" },
    redisUrl: config.redisUrl,
    limits: { ...DEFAULT_LIMITS, ...limits },
    emailVerification,
  };
}

function checkIssuer(issuer: unknown, mode: string, problems: string[]): string {
  const expected = mode === "production" ? "an https origin" : "an origin";
  // A user's part of a URL may hold a password: it is not shown.
  const shown = JSON.stringify(issuer)?.replace(/\/\/[^/]*@/, "//...@");
  const came = shown ?? "nothing";
  try {
    const url = new URL(String(issuer));
    const isOrigin = url.origin !== "null" && url.origin === String(issuer).replace(/\/$/, "");
    const isScheme =
      url.protocol === "https:" || (url.protocol === "http:" && mode !== "production");
    if (isOrigin && isScheme) return url.origin;
  } catch {
    // Said below, like every other value that is no origin.
  }
  problems.push(`issuer: expected ${expected} such as "https://api.example.com", came ${came}`);
  return "";
}

function checkSecrets(
  secret: BulwarkConfig["secret"],
  problems: string[],
): readonly string[] | undefined {
  if (secret === undefined) return undefined;
  const secrets = typeof secret === "string" ? [secret] : secret;
  if (secrets.length === 0) problems.push("secret: expected at least one, came an empty list");
  for (const [index, each] of secrets.entries()) {
    const problem = secretProblem(each);
    if (problem === undefined) continue;
    problems.push(`secret[${index}]: expected 32 random bytes in base64url, came ${problem}`);
  }
  return secrets;
}

function checkLimits(
  limits: Readonly<Record<string, LimitConfig>>,
  problems: string[],
): Readonly<Record<string, LimitConfig>> {
  for (const [name, { requests, window }] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const known = Object.keys(DEFAULT_LIMITS).join(", ");
      problems.push(`limits: expected one of ${known}, came ${JSON.stringify(name)}`);
    }
    if (!Number.isSafeInteger(requests) || requests < 1) {
      problems.push(`limits.${name}: expected whole requests of at least 1, came ${requests}`);
    }
    try {
      parseDuration(window, `limits.${name}`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return limits;
}

function localHosts(issuer: URL): string[] {
  const port = issuer.port === "" ? "" : `:${issuer.port}`;
  return ["localhost", "127.0.0.1", "[::1]"].map((name) => `${name}${port}`);
}
