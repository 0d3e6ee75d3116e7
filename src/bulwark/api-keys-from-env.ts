import { type APIKeyConfig, checkAPIKeyConfig, type ScanningPartner } from "../api-keys/index.ts";
import { countOf, type Env, text } from "./env.ts";

const VARIABLES = {
  prefix: "BULWARK_API_KEY_PREFIX",
  environment: "BULWARK_API_KEY_ENVIRONMENT",
  bearer: "BULWARK_API_KEY_BEARER",
  lifetime: "BULWARK_API_KEY_LIFETIME",
  maxLifetime: "BULWARK_API_KEY_MAX_LIFETIME",
  limit: "BULWARK_API_KEY_LIMIT",
  maxPerOwner: "BULWARK_API_KEY_MAX_PER_OWNER",
  partners: "BULWARK_API_KEY_PARTNERS",
} as const satisfies Readonly<Record<keyof APIKeyConfig, string>>;

/** apiKeysFromEnv reads what an application decides about its keys; undefined where no variable is set. It adds a problem for each value that is not valid. */
export function apiKeysFromEnv(env: Env, problems: string[]): APIKeyConfig | undefined {
  if (Object.values(VARIABLES).every((name) => text(env, name) === undefined)) return undefined;
  const config = {
    prefix: text(env, VARIABLES.prefix),
    // Whatever came: the check below says what was expected.
    environment: text(env, VARIABLES.environment) as APIKeyConfig["environment"],
    bearer: bearerOf(env, problems),
    lifetime: text(env, VARIABLES.lifetime),
    maxLifetime: text(env, VARIABLES.maxLifetime),
    limit: limitOf(env, problems),
    maxPerOwner: countOf(env, VARIABLES.maxPerOwner, problems),
    partners: partnersOf(env, problems),
  };
  problems.push(...checkAPIKeyConfig(config).map(byVariable));
  return config;
}

/** A problem names the field of the configuration; who set a variable looks for that. */
const byVariable = (problem: string): string =>
  problem.replace(/apiKeys\.([a-zA-Z]+)/g, (whole, field: string) =>
    Object.hasOwn(VARIABLES, field) ? VARIABLES[field as keyof typeof VARIABLES] : whole,
  );

function bearerOf(env: Env, problems: string[]): boolean | undefined {
  const value = text(env, VARIABLES.bearer);
  if (value === undefined) return undefined;
  if (value !== "on" && value !== "off") {
    problems.push(`${VARIABLES.bearer}: expected "on" or "off", came ${JSON.stringify(value)}`);
  }
  return value === "on";
}

function limitOf(env: Env, problems: string[]): APIKeyConfig["limit"] {
  const value = text(env, VARIABLES.limit);
  if (value === undefined) return undefined;
  const [, requests, window] = /^(\d{1,9})\/(\w+)$/.exec(value) ?? [];
  if (window !== undefined) return { requests: Number(requests), window };
  problems.push(
    `${VARIABLES.limit}: expected requests/window, such as 600/1m, came ${JSON.stringify(value)}`,
  );
  return undefined;
}

function partnersOf(env: Env, problems: string[]): readonly ScanningPartner[] | undefined {
  const value = text(env, VARIABLES.partners);
  if (value === undefined) return undefined;
  const partners = parsed(value);
  if (Array.isArray(partners) && partners.every(isPartner)) return partners;
  problems.push(
    `${VARIABLES.partners}: expected JSON such as [{"name":"github","keys":{"id":"PEM"}}], came another text`,
  );
  return undefined;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function isPartner(value: unknown): value is ScanningPartner {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const {
    name,
    keys,
    keyIdHeader = "",
    signatureHeader = "",
    ...others
  } = value as {
    readonly [K in keyof ScanningPartner]?: unknown;
  };
  return (
    [name, keyIdHeader, signatureHeader].every((part) => typeof part === "string") &&
    typeof keys === "object" &&
    keys !== null &&
    Object.values(keys).every((pem) => typeof pem === "string") &&
    Object.keys(others).length === 0
  );
}
