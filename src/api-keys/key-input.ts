import {
  addressRanges,
  type ErrorDetail,
  limitPolicy,
  parseDuration,
  ValidationError,
} from "../core/index.ts";
import type { KeySettings } from "./key-config.ts";

/** One limit of a key: at most `requests` in any `window`. */
export interface KeyLimit {
  /** Small letters, digits and dashes, a letter first; another name for each limit of a key. */
  readonly name: string;
  readonly requests: number;
  /** A duration such as `1m`, up to 31d. */
  readonly window: string;
}

/** NewAPIKey is what whoever makes a key says of it. */
export interface NewAPIKey {
  /** 1 to 100 characters on one line. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** How long it lives. Default: the application's, 365d. */
  readonly expiresIn?: string | undefined;
  /** Addresses and CIDR ranges from which it is accepted, 1 to 100. Default: all. */
  readonly allowedAddresses?: readonly string[] | undefined;
  /** Limits beside the one of every key, up to 10. Default none. */
  readonly limits?: readonly KeyLimit[] | undefined;
  /** Requests of a calendar month in UTC. Default: no end. */
  readonly monthlyQuota?: number | undefined;
}

/** CheckedKey is a {@link NewAPIKey} that can be stored. */
export interface CheckedKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly lifetimeMs: number;
  readonly allowedAddresses: readonly string[] | null;
  readonly limits: readonly KeyLimit[];
  readonly monthlyQuota: number | null;
}

const MAX_SCOPES = 100;
const MAX_LIMITS = 10;
const MAX_ADDRESSES = 100;
const MAX_WINDOW_MS = parseDuration("31d");
const MAX_QUOTA = 1_000_000_000_000;
const LIMIT_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** checkNewKey reads what a key is to be. Throws a ValidationError that names every field only if one is not valid. */
export function checkNewKey(
  input: NewAPIKey,
  settings: KeySettings,
  scopes: readonly string[],
): CheckedKey {
  const details: ErrorDetail[] = [];
  const refuse = (field: string, message: string): void => {
    details.push({ field, message, code: "invalid_value" });
  };
  const checked = {
    name: checkName(input.name, refuse),
    scopes: checkScopes(input.scopes, scopes, refuse),
    lifetimeMs: checkLifetime(input.expiresIn, settings, refuse),
    allowedAddresses: checkAddresses(input.allowedAddresses, refuse),
    limits: checkLimits(input.limits ?? [], refuse),
    monthlyQuota: checkQuota(input.monthlyQuota, refuse),
  };
  if (details.length > 0) throw new ValidationError(details);
  return checked;
}

/** keyName returns a key's name as it is stored. Throws a ValidationError only if it is none. */
export function keyName(text: string): string {
  const details: ErrorDetail[] = [];
  const name = checkName(text, (field, message) => {
    details.push({ field, message, code: "invalid_value" });
  });
  if (details.length > 0) throw new ValidationError(details);
  return name;
}

/** lifetimeOf reads how long a key is to live. Throws a ValidationError only if it is no duration, or too long. */
export function lifetimeOf(text: string, settings: KeySettings): number {
  const details: ErrorDetail[] = [];
  const lifetime = checkLifetime(text, settings, (field, message) => {
    details.push({ field, message, code: "invalid_value" });
  });
  if (details.length > 0) throw new ValidationError(details);
  return lifetime;
}

type Refuse = (field: string, message: string) => void;

function checkName(text: string, refuse: Refuse): string {
  const name = text.normalize("NFC").trim();
  const isName = name.length >= 1 && name.length <= 100 && !/\p{Cc}/u.test(name);
  if (!isName || !name.isWellFormed()) {
    refuse("name", "Expected 1 to 100 characters on one line.");
  }
  return name;
}

function checkScopes(
  asked: readonly string[],
  known: readonly string[],
  refuse: Refuse,
): readonly string[] {
  if (asked.length > MAX_SCOPES) refuse("scopes", `Expected at most ${MAX_SCOPES} scopes.`);
  for (const [index, scope] of asked.slice(0, MAX_SCOPES).entries()) {
    if (!known.includes(scope)) refuse(`scopes.${index}`, "There is no scope of this name.");
  }
  return [...new Set(asked)];
}

function checkLifetime(text: string | undefined, settings: KeySettings, refuse: Refuse): number {
  if (text === undefined) return settings.lifetimeMs;
  const lifetime = durationOf(text);
  if (lifetime !== undefined && lifetime <= settings.maxLifetimeMs) return lifetime;
  const longest = Math.floor(settings.maxLifetimeMs / 86_400_000);
  refuse("expiresIn", `Expected a duration such as "90d", at most ${longest}d.`);
  return 0;
}

function checkAddresses(
  asked: readonly string[] | undefined,
  refuse: Refuse,
): readonly string[] | null {
  if (asked === undefined) return null;
  if (asked.length === 0 || asked.length > MAX_ADDRESSES) {
    refuse("allowedAddresses", `Expected 1 to ${MAX_ADDRESSES} addresses or CIDR ranges.`);
    return null;
  }
  for (const [index, text] of asked.entries()) {
    if (isRange(text)) continue;
    refuse(`allowedAddresses.${index}`, "Expected an address or a CIDR range.");
  }
  return [...new Set(asked)];
}

function isRange(text: string): boolean {
  if (text.length > 64) return false;
  try {
    addressRanges([text], "allowedAddresses");
    return true;
  } catch {
    return false;
  }
}

function checkLimits(asked: readonly KeyLimit[], refuse: Refuse): readonly KeyLimit[] {
  if (asked.length > MAX_LIMITS) refuse("limits", `Expected at most ${MAX_LIMITS} limits.`);
  const names = new Set<string>();
  const limits: KeyLimit[] = [];
  for (const [index, { name, requests, window }] of asked.slice(0, MAX_LIMITS).entries()) {
    const field = `limits.${index}`;
    if (!LIMIT_NAME.test(name)) {
      refuse(`${field}.name`, "Expected 1 to 32 small letters, digits and dashes.");
    } else if (names.has(name)) refuse(`${field}.name`, "This name stands twice.");
    names.add(name);
    const windowMs = durationOf(window);
    if (windowMs === undefined || windowMs > MAX_WINDOW_MS) {
      refuse(`${field}.window`, 'Expected a duration such as "1m", at most 31d.');
    } else if (!isLimit(requests, window)) {
      refuse(`${field}.requests`, "Expected a whole number from 1.");
    }
    limits.push({ name, requests, window });
  }
  return limits;
}

function isLimit(requests: number, window: string): boolean {
  try {
    limitPolicy("limit", { requests, window });
    return true;
  } catch {
    return false;
  }
}

function checkQuota(quota: number | undefined, refuse: Refuse): number | null {
  if (quota === undefined) return null;
  if (!Number.isSafeInteger(quota) || quota < 1 || quota > MAX_QUOTA) {
    refuse("monthlyQuota", `Expected a whole number from 1 to ${MAX_QUOTA}.`);
  }
  return quota;
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
