import { ConfigurationError } from "../core/index.ts";
import { apiKeysFromEnv } from "./api-keys-from-env.ts";
import { bodyFromEnv } from "./body-from-env.ts";
import type { BulwarkConfig, DatabaseConfig, SmtpConfig } from "./config.ts";
import { durationOf, type Env, list, text } from "./env.ts";
import { bansFromEnv, limitsFromEnv } from "./limits-from-env.ts";
import { type ServerLimits, serverLimitsOf } from "./server-limits.ts";

/** What a server needs besides: where it listens. */
export interface ServerConfig extends BulwarkConfig {
  readonly host: string;
  readonly port: number;
  /** Bearer that reads /metrics from elsewhere, at least 32 characters. */
  readonly metricsToken?: string | undefined;
  /** Limits of the server itself. */
  readonly server?: ServerLimits | undefined;
}

/**
 * configFromEnv reads the configuration of a process from its environment, the only place of the library that does.
 * `dev` is a development start; otherwise NODE_ENV decides nothing and production's rules hold.
 * Throws a ConfigurationError that lists every variable that is not valid.
 */
export function configFromEnv(env: Env, options: { readonly dev?: boolean } = {}): ServerConfig {
  const problems: string[] = [];
  const mode = options.dev === true ? "development" : "production";
  const host = text(env, "HOST") ?? "127.0.0.1";
  const port = portOf(env, problems);
  if (mode === "development" && !isLoopback(host)) {
    problems.push(
      `HOST: expected a loopback address in development mode, such as 127.0.0.1, came ${JSON.stringify(host)}`,
    );
  }
  const issuer = text(env, "BULWARK_ISSUER");
  if (issuer === undefined && mode === "production") {
    problems.push("BULWARK_ISSUER: expected an https origin in production, came nothing");
  }
  const secret = list(env, "BULWARK_SECRET");
  if (secret === undefined && mode === "production") {
    problems.push(
      "BULWARK_SECRET: expected 32 random bytes in base64url (bulwark secret generate), came nothing",
    );
  }
  const verification = verificationOf(env, mode, problems);
  const config: ServerConfig = {
    mode,
    host,
    port,
    // An origin does not say its scheme's own port.
    issuer: issuer ?? new URL(`http://localhost:${port}`).origin,
    hosts: list(env, "BULWARK_HOSTS"),
    secret,
    database: databaseOf(env, problems),
    redisUrl: redisOf(env, problems),
    trustedProxies: list(env, "BULWARK_TRUSTED_PROXIES"),
    bodies: bodyFromEnv(
      text(env, "BULWARK_MAX_BODY_BYTES"),
      list(env, "BULWARK_BODY_CODINGS"),
      problems,
    ),
    limits: limitsFromEnv(
      list(env, "BULWARK_LIMITS"),
      list(env, "BULWARK_LIMIT_FAILURE"),
      problems,
    ),
    bans: bansFromEnv(text(env, "BULWARK_BANS"), list(env, "BULWARK_BAN_STEPS"), problems),
    processes: processesOf(env, problems),
    metricsToken: metricsTokenOf(env, problems),
    emailVerification: verification,
    smtp: smtpOf(env, problems),
    origins: list(env, "BULWARK_ORIGINS"),
    csrfOrigins: list(env, "BULWARK_CSRF_ORIGINS"),
    auth: { adminMfa: adminMfaOf(env, problems) },
    apiKeys: apiKeysFromEnv(env, problems),
    allowedAddresses: list(env, "BULWARK_ALLOWED_ADDRESSES"),
    deniedAddresses: list(env, "BULWARK_DENIED_ADDRESSES"),
    https: httpsOf(env, problems),
    handlerTimeout: durationOf(env, "BULWARK_HANDLER_TIMEOUT", problems),
    loadShedding:
      text(env, "BULWARK_LOAD_SHEDDING") === "off"
        ? "off"
        : durationOf(env, "BULWARK_LOAD_SHEDDING", problems, 'a duration such as "1s", or "off"'),
    server: serverLimitsOf(env, problems),
  };
  if (problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

function portOf(env: Env, problems: string[]): number {
  const value = text(env, "PORT") ?? "3000";
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port >= 1 && port <= 65_535) return port;
  problems.push(`PORT: expected a number from 1 to 65535, came ${JSON.stringify(value)}`);
  return 0;
}

function metricsTokenOf(env: Env, problems: string[]): string | undefined {
  const token = text(env, "BULWARK_METRICS_TOKEN");
  if (token !== undefined && token.length < 32) {
    problems.push(
      `BULWARK_METRICS_TOKEN: expected at least 32 characters, came a value of ${token.length}`,
    );
  }
  return token;
}

function redisOf(env: Env, problems: string[]): string | undefined {
  const url = text(env, "REDIS_URL");
  if (url !== undefined && !/^rediss?(\+cluster)?:\/\//.test(url)) {
    problems.push("REDIS_URL: expected rediss://user:password@host, came another text");
  }
  return url;
}

function smtpOf(env: Env, problems: string[]): SmtpConfig | undefined {
  const url = text(env, "SMTP_URL");
  if (url === undefined) return undefined;
  // The URL holds a password: what came is not shown.
  if (!/^smtps?:\/\//.test(url)) {
    problems.push("SMTP_URL: expected smtps://user:password@host, came another text");
  }
  return { url, from: text(env, "SMTP_FROM") };
}

function adminMfaOf(env: Env, problems: string[]): "required" | "off" | undefined {
  const value = text(env, "BULWARK_ADMIN_MFA");
  if (value === undefined || value === "required" || value === "off") return value;
  problems.push(`BULWARK_ADMIN_MFA: expected "required" or "off", came ${JSON.stringify(value)}`);
  return undefined;
}

function httpsOf(env: Env, problems: string[]): ServerConfig["https"] {
  const value = text(env, "BULWARK_HTTPS");
  if (value === undefined || value === "required" || value === "insecureOptional") return value;
  problems.push(
    `BULWARK_HTTPS: expected "required" or "insecureOptional", came ${JSON.stringify(value)}`,
  );
  return undefined;
}

function databaseOf(env: Env, problems: string[]): DatabaseConfig {
  const url = text(env, "DATABASE_URL");
  if (url === undefined) return { dataDir: text(env, "BULWARK_DATA_DIR") ?? ".bulwark" };
  // The URL holds a password: what came is not shown.
  if (!/^postgres(ql)?:\/\//.test(url)) {
    problems.push(
      "DATABASE_URL: expected postgres://user:password@host/database, came another text",
    );
  }
  return { url };
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

function verificationOf(
  env: Env,
  mode: string,
  problems: string[],
): "off" | "required" | undefined {
  const value = text(env, "BULWARK_EMAIL_VERIFICATION");
  if (value !== undefined && value !== "off" && value !== "required") {
    problems.push(
      `BULWARK_EMAIL_VERIFICATION: expected "off" or "required", came ${JSON.stringify(value)}`,
    );
    return undefined;
  }
  const required = mode === "production" && value !== "off";
  if (required && text(env, "SMTP_URL") === undefined) {
    problems.push(
      "SMTP_URL: expected a mail server while BULWARK_EMAIL_VERIFICATION is required, came nothing",
    );
  }
  return value;
}

function processesOf(env: Env, problems: string[]): number | undefined {
  const value = text(env, "BULWARK_PROCESSES");
  if (value === undefined || /^[1-9]\d{0,4}$/.test(value)) {
    return value === undefined ? undefined : Number(value);
  }
  problems.push(`BULWARK_PROCESSES: expected a whole number from 1, came ${JSON.stringify(value)}`);
  return undefined;
}
