import type { AccessModel, RoleModel } from "../access/index.ts";
import { type APIKeyConfig, checkAPIKeyConfig } from "../api-keys/index.ts";
import type { BreachCheck } from "../auth/index.ts";
import { type Clock, ConfigurationError, type Log, parseDuration } from "../core/index.ts";
import type { CORSOptions } from "../cors/index.ts";
import { secretProblem } from "../crypto/index.ts";
import type { MigrationSet } from "../database/index.ts";
import { smtpSettings } from "../mail/index.ts";
import { type BodyConfig, type ResolvedBodies, resolveBodies } from "./body-config.ts";
import { type EdgeConfig, type ResolvedEdge, resolveEdge } from "./edge-config.ts";
import {
  type BanConfig,
  checkBans,
  checkLimits,
  checkProcesses,
  DEFAULT_LIMITS,
  type LimitConfig,
} from "./limit-config.ts";
import { type CORSConfig, checkCors, csrfOriginsOf } from "./wire-cors.ts";
import { checkExempt } from "./wire-csrf.ts";
import { checkHeaders, type HeaderConfig } from "./wire-headers.ts";

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

export interface SmtpConfig {
  /** Such as `smtps://user:password@smtp.example.com`. Verified TLS in production, unless it is on this machine. */
  readonly url: string;
  /** The sender. Default `no-reply@` the issuer's host. */
  readonly from?: string | undefined;
}

/** AuthConfig is how people sign in, and how long that lasts. */
export interface AuthConfig {
  /** Shown in authenticator apps and mail. Default: the issuer's host. */
  readonly productName?: string | undefined;
  /** Signs access tokens. Default `HS256`, with a key derived from the secret. */
  readonly tokenAlgorithm?: "HS256" | "EdDSA" | "ES256" | undefined;
  /** Life of an access token. Default 1h. */
  readonly tokenLifetime?: string | undefined;
  /** Longest time between two requests of a session. Default 1h. */
  readonly idleTimeout?: string | undefined;
  /** Longest life of a session. Default 12h. */
  readonly absoluteTimeout?: string | undefined;
  /** Sessions of one user at once. Default 20. */
  readonly maxSessions?: number | undefined;
  /** Hashes new passwords. Default `argon2id`. */
  readonly passwordAlgorithm?: "argon2id" | "bcrypt" | undefined;
  /** log2 of bcrypt's rounds, 12 to 15, where bcrypt is chosen. Default 12. */
  readonly bcryptCost?: number | undefined;
  /** Asks a list of leaked passwords about new ones. Default none. */
  readonly breaches?: BreachCheck | undefined;
  /** Failures after which an account is locked for a time. Default 5. */
  readonly lockAfter?: number | undefined;
  /** The first lock; each further failure doubles it, up to an hour. Default 1m. */
  readonly lockFor?: string | undefined;
  /** How long a device is known after its last sign-in. Default 180d. */
  readonly deviceLifetime?: string | undefined;
  /** The domain whose pages may use passkeys: the issuer's host, or one above it. Default: the issuer's host. A change voids all passkeys. */
  readonly passkeyDomain?: string | undefined;
  /** Sign-in by a mailed link. Default off. */
  readonly magicLink?: boolean | undefined;
  /** Roles that a session holds only after a second factor. Default none. */
  readonly rolesThatNeedMfa?: readonly string[] | undefined;
  /** Whether /admin asks for a second factor. Default `required`, `off` in development. */
  readonly adminMfa?: "required" | "off" | undefined;
  /** How long an account that its owner deleted can be taken back. Default 30d. */
  readonly deletionGrace?: string | undefined;
}

/** An access model, whatever its names are. */
export type AnyAccessModel = RoleModel & Pick<AccessModel, "scopes" | "scopesFor">;

/** BulwarkConfig is all that an application decides; what it leaves out is the safe default. */
export interface BulwarkConfig extends EdgeConfig {
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
  /** Short-lived state, such as `rediss://user:password@redis.example.com`, or `rediss+cluster://` for a cluster. Default: this process's memory. */
  readonly redisUrl?: string | undefined;
  /** Addresses and CIDR ranges of our own proxies. Default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The one header that they write. Default `x-forwarded-for`. */
  readonly forwardedHeader?: "x-forwarded-for" | "forwarded" | undefined;
  /** What bodies of requests may be. */
  readonly bodies?: BodyConfig | undefined;
  /** Overrides of the default limits, by name. */
  readonly limits?: Readonly<Record<string, LimitConfig>> | undefined;
  /** Who goes on asking after they were refused is kept out for a time. Default: 1,000 refusals in 10m, for 1m, 10m, 1h, 24h. */
  readonly bans?: BanConfig | "off" | undefined;
  /** Processes of this application: while Redis is gone, each gives its share of a limit. Default 1 on PGlite, and 4 counted on PostgreSQL. */
  readonly processes?: number | undefined;
  /** Whether an address must be proved before its first session. Default `required`, `off` in development. */
  readonly emailVerification?: "off" | "required" | undefined;
  /** Where mail goes. Default: a mailbox in memory, in development alone. */
  readonly smtp?: SmtpConfig | undefined;
  /** Roles, permissions, scopes and rules, as defineAccess makes them. Default: those of the reference API. */
  readonly access?: AnyAccessModel | undefined;
  /** Whether a 403 says what was required. Default false, true in development. */
  readonly explainRefusals?: boolean | undefined;
  /** How people sign in. */
  readonly auth?: AuthConfig | undefined;
  /** Keys for programs. */
  readonly apiKeys?: APIKeyConfig | undefined;
  /** Origins whose pages may read answers: exact ones, host suffixes such as `https://*.example.com`, or `"*"` without credentials. Default none. */
  readonly origins?: readonly string[] | undefined;
  /** What those pages may do. */
  readonly cors?: CORSConfig | undefined;
  /** Origins besides the issuer's whose pages may send requests with our cookies. Default: the exact entries of `origins`. */
  readonly csrfOrigins?: readonly string[] | undefined;
  /** Routes that take our cookies from any site, each with its method and its path as it is defined: `POST /hooks/:id`. Default none. */
  readonly insecureCsrfExempt?: readonly string[] | undefined;
  /** What answers and pages say of themselves. */
  readonly headers?: HeaderConfig | undefined;
  /** Migration sets of the application's own tables, run after Bulwark's. Default none. */
  readonly migrations?: readonly MigrationSet[] | undefined;
  /** Version in every envelope. Default `1`. */
  readonly version?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
}

export interface ResolvedConfig {
  readonly issuer: string;
  readonly mode: "production" | "development";
  readonly hosts: readonly string[];
  readonly secrets: readonly string[] | undefined;
  readonly database: DatabaseConfig;
  readonly redisUrl: string | undefined;
  readonly bodies: ResolvedBodies;
  readonly limits: Readonly<Record<string, LimitConfig>>;
  readonly bans: BanConfig | "off";
  readonly processes: number;
  readonly emailVerification: "off" | "required";
  readonly smtp: SmtpConfig | undefined;
  readonly auth: AuthConfig & {
    readonly productName: string;
    readonly adminMfa: "required" | "off";
  };
  readonly apiKeys: APIKeyConfig;
  /** The issuer's origin, and those that may send our cookies besides. */
  readonly csrfOrigins: readonly string[];
  readonly csrfExempt: readonly string[];
  readonly cors: CORSOptions | undefined;
  readonly headers: HeaderConfig;
  readonly edge: ResolvedEdge;
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
  const bodies = resolveBodies(config.bodies ?? {}, problems);
  const limits = checkLimits(config.limits ?? {}, problems);
  checkBans(config.bans, problems);
  checkProcesses(config.processes, problems);
  const emailVerification =
    config.emailVerification ?? (mode === "development" ? "off" : "required");
  if (emailVerification !== "off" && emailVerification !== "required") {
    const came = JSON.stringify(emailVerification);
    problems.push(`emailVerification: expected "off" or "required", came ${came}`);
  }
  if (emailVerification === "required" && mode === "production" && config.smtp === undefined) {
    problems.push("smtp: expected a mail server while emailVerification is required, came nothing");
  }
  checkSmtp(config.smtp, issuer, mode, problems);
  const cors = checkCors(config.origins, config.cors ?? {}, mode, problems);
  const csrfOrigins = csrfOriginsOf(config.csrfOrigins, cors, mode, problems);
  checkExempt(config.insecureCsrfExempt ?? [], problems);
  checkHeaders(config.headers ?? {}, problems);
  const edge = resolveEdge(config, issuer, mode, problems);
  checkAuth(config.auth ?? {}, problems);
  checkPasskeyDomain(config.auth?.passkeyDomain, issuer, problems);
  problems.push(...checkAPIKeyConfig(config.apiKeys ?? {}));
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
    bodies,
    limits: { ...DEFAULT_LIMITS, ...limits },
    bans: config.bans ?? {},
    processes:
      config.processes ?? (config.database !== undefined && "url" in config.database ? 4 : 1),
    emailVerification,
    smtp: config.smtp,
    auth: {
      ...config.auth,
      productName: config.auth?.productName ?? own.hostname,
      adminMfa: config.auth?.adminMfa ?? (mode === "development" ? "off" : "required"),
    },
    apiKeys: config.apiKeys ?? {},
    csrfOrigins: [own.origin, ...csrfOrigins],
    csrfExempt: config.insecureCsrfExempt ?? [],
    cors,
    headers: config.headers ?? {},
    edge,
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

/** senderOf is who mail comes from. */
export const senderOf = (smtp: SmtpConfig, issuer: string): string =>
  smtp.from ?? `no-reply@${new URL(issuer).hostname}`;

function checkSmtp(
  smtp: SmtpConfig | undefined,
  issuer: string,
  mode: string,
  problems: string[],
): void {
  if (smtp === undefined || issuer === "") return;
  try {
    const from = senderOf(smtp, issuer);
    smtpSettings({ url: smtp.url, from, production: mode === "production" });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(...error.problems);
  }
}

/** Durations and choices are checked here, since the services that use them are made later. */
function checkAuth(auth: AuthConfig, problems: string[]): void {
  checkProductName(auth.productName, problems);
  for (const name of [
    "tokenLifetime",
    "idleTimeout",
    "absoluteTimeout",
    "lockFor",
    "deviceLifetime",
    "deletionGrace",
  ] as const) {
    const value = auth[name];
    if (value === undefined) continue;
    try {
      parseDuration(value, `auth.${name}`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  for (const name of ["maxSessions", "lockAfter"] as const) {
    const value = auth[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    problems.push(`auth.${name}: expected a whole number of at least 1, came ${value}`);
  }
  const { bcryptCost: cost } = auth;
  if (cost !== undefined && !(Number.isSafeInteger(cost) && cost >= 12 && cost <= 15)) {
    problems.push(`auth.bcryptCost: expected a whole number from 12 to 15, came ${cost}`);
  }
  for (const [name, known] of Object.entries(CHOICES)) {
    const value = auth[name as keyof typeof CHOICES];
    if (value === undefined || (known as readonly unknown[]).includes(value)) continue;
    const expected = known.map((one) => JSON.stringify(one)).join(" or ");
    problems.push(`auth.${name}: expected ${expected}, came ${JSON.stringify(value)}`);
  }
}

/** Browsers give passkeys of a domain to its own pages and to those below it, and to nobody for what has no dot (Web Authentication section 5.1.2). */
function checkPasskeyDomain(domain: string | undefined, issuer: string, problems: string[]): void {
  if (domain === undefined || issuer === "") return;
  const host = new URL(issuer).hostname;
  const isAbove = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain) && host.endsWith(`.${domain}`);
  // An address has nothing above it, though it has dots.
  if (domain === host || (isAbove && !/^[\d.]+$/.test(host))) return;
  problems.push(
    `auth.passkeyDomain: expected ${JSON.stringify(host)} or a domain above it, came ${JSON.stringify(domain)}`,
  );
}

/** An authenticator app shows the name, and a QR code has to hold it. */
function checkProductName(name: string | undefined, problems: string[]): void {
  if (name === undefined || /^[^\p{Cc}:]{1,64}$/u.test(name)) return;
  problems.push(
    `auth.productName: expected 1 to 64 characters that can be shown, came ${JSON.stringify(name)}`,
  );
}

const CHOICES = {
  tokenAlgorithm: ["HS256", "EdDSA", "ES256"],
  passwordAlgorithm: ["argon2id", "bcrypt"],
  adminMfa: ["required", "off"],
  magicLink: [true, false],
} as const;

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

function localHosts(issuer: URL): string[] {
  const port = issuer.port === "" ? "" : `:${issuer.port}`;
  return ["localhost", "127.0.0.1", "[::1]"].map((name) => `${name}${port}`);
}
