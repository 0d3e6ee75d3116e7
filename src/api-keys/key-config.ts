import { createPublicKey, type KeyObject } from "node:crypto";
import { type LimitPolicy, limitPolicy, parseDuration } from "../core/index.ts";
import { isKeyPrefix, type KeyEnvironment } from "./key-text.ts";

/** A partner that scans the public for keys and reports what it finds, as GitHub's secret scanning programme does. */
export interface ScanningPartner {
  /** As the audit log names it: small letters, digits and dashes. */
  readonly name: string;
  /** Its public keys by their ids: ECDSA on P-256, in PEM. */
  readonly keys: Readonly<Record<string, string>>;
  /** The header that names the key. Default `github-public-key-identifier`. */
  readonly keyIdHeader?: string | undefined;
  /** The header with the signature over the body: DER, in base64. Default `github-public-key-signature`. */
  readonly signatureHeader?: string | undefined;
}

/** APIKeyConfig is what an application decides about its keys. */
export interface APIKeyConfig {
  /** Begins every key: 2 to 16 small letters and digits. Keys of another prefix are refused. Default `bwk`. */
  readonly prefix?: string | undefined;
  /** What kind of deployment this is; it makes and accepts keys of its own kind alone. Default `live`. */
  readonly environment?: KeyEnvironment | undefined;
  /** Whether a key is accepted as `Authorization: Bearer` too. Default false: `x-api-key` alone. */
  readonly bearer?: boolean | undefined;
  /** Life of a key whose maker asks for no other. Default 365d. */
  readonly lifetime?: string | undefined;
  /** The longest life that may be asked for. Default 3650d. */
  readonly maxLifetime?: string | undefined;
  /** What every key may do at most, whatever its own limits are. Default: the limit `user`. */
  readonly limit?: { readonly requests: number; readonly window: string } | undefined;
  /** Keys of one owner at once. Default 50. */
  readonly maxPerOwner?: number | undefined;
  /** Who may report leaked keys. Default none: the endpoint is off. */
  readonly partners?: readonly ScanningPartner[] | undefined;
}

/** A partner with its keys read. */
interface Partner {
  readonly name: string;
  readonly keyIdHeader: string;
  readonly signatureHeader: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** KeySettings is a configuration that was checked, with its defaults. */
export interface KeySettings {
  readonly prefix: string;
  readonly environment: KeyEnvironment;
  readonly bearer: boolean;
  readonly lifetimeMs: number;
  readonly maxLifetimeMs: number;
  readonly limit: LimitPolicy;
  readonly maxPerOwner: number;
  readonly partners: readonly Partner[];
}

/** The limit of every key, where an application configures neither it nor a limit by user. */
const DEFAULT_LIMIT = { requests: 1_200, window: "1m" };

/** keySettings reads a configuration. Throws a TypeError or RangeError that names the field only if {@link checkAPIKeyConfig} finds something. */
export function keySettings(config: APIKeyConfig): KeySettings {
  const [problem] = checkAPIKeyConfig(config);
  if (problem !== undefined) throw new TypeError(problem);
  return {
    prefix: config.prefix ?? "bwk",
    environment: config.environment ?? "live",
    bearer: config.bearer === true,
    lifetimeMs: parseDuration(config.lifetime ?? "365d"),
    maxLifetimeMs: parseDuration(config.maxLifetime ?? "3650d"),
    // What was promised of a key holds also where nobody counts: then it is refused.
    limit: limitPolicy("key", { ...(config.limit ?? DEFAULT_LIMIT), onFailure: "deny" }),
    maxPerOwner: config.maxPerOwner ?? 50,
    partners: (config.partners ?? []).map(readPartner),
  };
}

/** checkAPIKeyConfig returns what is wrong with a configuration, each by its field. */
export function checkAPIKeyConfig(config: APIKeyConfig): readonly string[] {
  const problems: string[] = [];
  const refuse = (field: string, expected: string, came: unknown): void => {
    const shown = came === undefined ? "nothing" : JSON.stringify(came);
    problems.push(`apiKeys.${field}: expected ${expected}, came ${shown}`);
  };
  const { prefix, environment, bearer, maxPerOwner, limit } = config;
  if (prefix !== undefined && !isKeyPrefix(prefix)) {
    refuse("prefix", "2 to 16 small letters and digits, a letter first", prefix);
  }
  if (environment !== undefined && environment !== "live" && environment !== "test") {
    refuse("environment", '"live" or "test"', environment);
  }
  if (bearer !== undefined && typeof bearer !== "boolean")
    refuse("bearer", "true or false", bearer);
  if (maxPerOwner !== undefined && !(Number.isSafeInteger(maxPerOwner) && maxPerOwner >= 1)) {
    refuse("maxPerOwner", "a whole number of at least 1", maxPerOwner);
  }
  const lifetime = durationOf(config.lifetime ?? "365d", "apiKeys.lifetime", problems);
  const longest = durationOf(config.maxLifetime ?? "3650d", "apiKeys.maxLifetime", problems);
  if (lifetime !== undefined && longest !== undefined && lifetime > longest) {
    refuse("lifetime", "at most apiKeys.maxLifetime", config.lifetime ?? "365d");
  }
  if (limit !== undefined) attempt(() => limitPolicy("apiKeys.limit", limit), problems);
  for (const [index, partner] of (config.partners ?? []).entries()) {
    checkPartner(partner, `partners[${index}]`, refuse);
  }
  return problems;
}

const durationOf = (text: string, field: string, problems: string[]): number | undefined =>
  attempt(() => parseDuration(text, field), problems);

function attempt<T>(read: () => T, problems: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

const PARTNER_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const HEADER_NAME = /^[a-z0-9-]{1,64}$/;
const KEY_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/;

function checkPartner(
  partner: ScanningPartner,
  field: string,
  refuse: (field: string, expected: string, came: unknown) => void,
): void {
  if (!PARTNER_NAME.test(partner.name)) {
    refuse(`${field}.name`, "1 to 32 small letters, digits and dashes", partner.name);
  }
  for (const name of ["keyIdHeader", "signatureHeader"] as const) {
    const header = partner[name];
    if (header !== undefined && !HEADER_NAME.test(header)) {
      refuse(`${field}.${name}`, "a header's name in small letters", header);
    }
  }
  const keys = Object.entries(partner.keys);
  if (keys.length === 0) refuse(`${field}.keys`, "at least one public key", undefined);
  for (const [id, pem] of keys) {
    const isKey = KEY_ID.test(id) && readPublicKey(pem) !== undefined;
    if (!isKey) refuse(`${field}.keys`, "ids with public keys of ECDSA on P-256 in PEM", id);
  }
}

/** A private key in the place of a public one would be accepted by Node: it is refused, since it does not belong here. */
function readPublicKey(pem: string): KeyObject | undefined {
  try {
    if (pem.includes("PRIVATE KEY")) return undefined;
    const key = createPublicKey(pem);
    const isP256 =
      key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    return isP256 ? key : undefined;
  } catch {
    return undefined;
  }
}

function readPartner(partner: ScanningPartner): Partner {
  const keys = new Map<string, KeyObject>();
  for (const [id, pem] of Object.entries(partner.keys)) {
    const key = readPublicKey(pem);
    if (key !== undefined) keys.set(id, key);
  }
  return {
    name: partner.name,
    keyIdHeader: partner.keyIdHeader ?? "github-public-key-identifier",
    signatureHeader: partner.signatureHeader ?? "github-public-key-signature",
    keys,
  };
}
