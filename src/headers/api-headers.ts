import type { HeaderRecord } from "../core/index.ts";
import { contentSecurityPolicy } from "./csp.ts";

export interface HSTSOptions {
  /** Seconds. Default 31,536,000, a year. */
  readonly maxAge?: number | undefined;
  /** Default true. */
  readonly includeSubDomains?: boolean | undefined;
  /** Asks for a place in the browsers' own lists, which it is hard to leave again. Default false. */
  readonly preload?: boolean | undefined;
}

export interface HeaderOptions {
  /** Sends Strict-Transport-Security; for production behind HTTPS alone. Default false. */
  readonly hsts?: boolean | HSTSOptions | undefined;
  /** Cross-Origin-Embedder-Policy. A page then shows nothing from elsewhere that does not ask for it. Default none. */
  readonly coep?: "require-corp" | "credentialless" | undefined;
  /** Cross-Origin-Opener-Policy. Default same-origin. */
  readonly coop?: "same-origin" | "same-origin-allow-popups" | "noopener-allow-popups" | undefined;
  /** Cross-Origin-Resource-Policy. Default same-origin. */
  readonly corp?: "same-origin" | "same-site" | "cross-origin" | undefined;
  /** Default no-referrer. */
  readonly referrerPolicy?:
    | "no-referrer"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | undefined;
  /**
   * Features of the Permissions Policy and who may use each: `self`, and origins. Beside these, camera, geolocation, microphone,
   * payment and usb are nobody's.
   */
  readonly permissions?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Features that no API answer needs, switched off for a page that would frame or run it (Permissions Policy). */
const NO_FEATURES = { camera: [], geolocation: [], microphone: [], payment: [], usb: [] };

/**
 * apiHeaders are the headers of an answer that is data, not a page: nothing may be loaded, framed, sniffed or cached.
 * X-XSS-Protection is 0, since the filter it switches on has itself been a way in (OWASP HTTP Headers Cheat Sheet).
 * Throws a TypeError or RangeError that names the field only if an option is not valid.
 */
export function apiHeaders(options: HeaderOptions = {}): HeaderRecord {
  const { hsts = false, coep } = options;
  return Object.freeze({
    "content-security-policy": contentSecurityPolicy(),
    "cross-origin-opener-policy": one(options.coop ?? "same-origin", COOP, "coop"),
    "cross-origin-resource-policy": one(options.corp ?? "same-origin", CORP, "corp"),
    ...(coep === undefined ? {} : { "cross-origin-embedder-policy": one(coep, COEP, "coep") }),
    "permissions-policy": permissionsOf(options.permissions ?? {}),
    "referrer-policy": one(options.referrerPolicy ?? "no-referrer", REFERRER, "referrerPolicy"),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "cache-control": "no-store",
    ...(hsts === false ? {} : { "strict-transport-security": hstsOf(hsts === true ? {} : hsts) }),
  });
}

const COEP = ["require-corp", "credentialless"];
const COOP = ["same-origin", "same-origin-allow-popups", "noopener-allow-popups"];
const CORP = ["same-origin", "same-site", "cross-origin"];
const REFERRER = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];

function one(value: string, known: readonly string[], field: string): string {
  if (known.includes(value)) return value;
  throw new TypeError(
    `${field}: expected one of ${known.join(", ")}, came ${JSON.stringify(value)}`,
  );
}

const YEAR = 31_536_000;

/** Lists ask for a year, and for every subdomain (hstspreload.org). */
function hstsOf({ maxAge = YEAR, includeSubDomains = true, preload = false }: HSTSOptions): string {
  if (!Number.isSafeInteger(maxAge) || maxAge < 0) {
    throw new RangeError(`hsts.maxAge: expected whole seconds, came ${JSON.stringify(maxAge)}`);
  }
  if (preload && (!includeSubDomains || maxAge < YEAR)) {
    throw new TypeError(
      `hsts.preload: expected includeSubDomains and a maxAge of ${YEAR} beside it`,
    );
  }
  const parts = [`max-age=${maxAge}`];
  if (includeSubDomains) parts.push("includeSubDomains");
  if (preload) parts.push("preload");
  return parts.join("; ");
}

function permissionsOf(permissions: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries({ ...NO_FEATURES, ...permissions })
    .map(([feature, who]) => {
      if (!/^[a-z-]{1,64}$/.test(feature)) {
        const came = JSON.stringify(feature);
        throw new TypeError(`permissions: expected the name of a feature, came ${came}`);
      }
      return `${feature}=(${who.map((each) => memberOf(feature, each)).join(" ")})`;
    })
    .join(", ");
}

function memberOf(feature: string, who: string): string {
  if (who === "self") return who;
  if (URL.canParse(who) && new URL(who).origin === who) return `"${who}"`;
  const came = JSON.stringify(who);
  throw new TypeError(`permissions.${feature}: expected "self" or an origin, came ${came}`);
}
