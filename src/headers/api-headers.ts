import type { HeaderRecord } from "../core/index.ts";

export interface HeaderOptions {
  /** Sends Strict-Transport-Security; for production behind HTTPS alone. Default false. */
  readonly hsts?: boolean | undefined;
}

const HSTS = "max-age=31536000; includeSubDomains";

/** Features that no API answer needs, switched off for a page that would frame or run it (Permissions Policy). */
const NO_FEATURES = ["camera", "geolocation", "microphone", "payment", "usb"]
  .map((feature) => `${feature}=()`)
  .join(", ");

/**
 * apiHeaders are the headers of an answer that is data, not a page: nothing may be loaded, framed, sniffed or cached.
 * X-XSS-Protection is 0, since the filter it switches on has itself been a way in (OWASP HTTP Headers Cheat Sheet).
 */
export function apiHeaders(options: HeaderOptions = {}): HeaderRecord {
  return Object.freeze({
    "content-security-policy":
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": NO_FEATURES,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "cache-control": "no-store",
    ...(options.hsts === true ? { "strict-transport-security": HSTS } : {}),
  });
}
