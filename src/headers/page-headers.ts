import type { HeaderRecord } from "../core/index.ts";
import { apiHeaders, type HeaderOptions } from "./api-headers.ts";
import { contentSecurityPolicy, NONCE, type PolicyDirectives } from "./csp.ts";

export interface PagePolicyOptions extends HeaderOptions {
  /** Directives in the place of the page's own, or besides them; {@link NONCE} stands for the nonce. Default none. */
  readonly directives?: PolicyDirectives | undefined;
  /** Sources that undo what the policy is for, added to their directives unchecked. Default none. */
  readonly insecureSources?: PolicyDirectives | undefined;
  /** A second policy that is tried out: a browser reports what it would stop, and stops nothing. Default none. */
  readonly reportOnly?: PolicyDirectives | undefined;
  /** Where browsers report what they stopped, such as `/api/reports`. Default nowhere. */
  readonly reportUri?: string | undefined;
  /**
   * The same by the Reporting API, which reports more than breaches of the policy. Browsers take it over HTTPS alone, and those that
   * do no longer look at `reportUri`. Default nowhere.
   */
  readonly reportTo?: string | undefined;
}

export interface PageHeaderOptions extends PagePolicyOptions {
  /** What the page's own scripts and styles carry as `nonce`; at least 128 random bits in base64, new for every answer. */
  readonly nonce: string;
}

const NONCE_TEXT = /^[A-Za-z0-9+/_-]{22,}={0,2}$/;
const CSP = "content-security-policy";
const REPORT_ONLY = "content-security-policy-report-only";

/**
 * The policy of a page: only scripts and styles that carry the nonce run, and what those scripts import (CSP Level 3 section 8.2,
 * `strict-dynamic`). No text becomes markup or script (Trusted Types), and nothing comes from, goes to, or frames it from elsewhere.
 */
const PAGE: PolicyDirectives = {
  "default-src": ["'none'"],
  "script-src": [NONCE, "'strict-dynamic'"],
  "style-src": [NONCE],
  "img-src": ["'self'", "data:"],
  "connect-src": ["'self'"],
  "base-uri": ["'none'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
  "require-trusted-types-for": ["'script'"],
  "trusted-types": ["'none'"],
};

/**
 * createPageHeaders reads the options once and returns the headers of a page by its nonce: those of {@link apiHeaders}, with a policy
 * under which only what carries the nonce runs.
 * Throws a TypeError that names the field only if an option is not valid, or, later, if the nonce is not one.
 */
export function createPageHeaders(
  options: PagePolicyOptions = {},
): (nonce: string) => HeaderRecord {
  const { directives, insecureSources, reportOnly, reportUri, reportTo } = options;
  const reporting: PolicyDirectives = {
    ...(reportUri === undefined ? {} : { "report-uri": [collector(reportUri, "reportUri")] }),
    ...(reportTo === undefined ? {} : { "report-to": ["default"] }),
  };
  const policy = contentSecurityPolicy(
    { ...PAGE, ...directives, ...reporting },
    { insecureSources },
  );
  const tried = reportOnly && contentSecurityPolicy({ ...PAGE, ...reportOnly, ...reporting });
  const standing: HeaderRecord = {
    ...apiHeaders(options),
    ...(reportTo === undefined
      ? {}
      : { "reporting-endpoints": `default="${collector(reportTo, "reportTo")}"` }),
  };
  return (nonce) => {
    if (!NONCE_TEXT.test(nonce)) {
      throw new TypeError("nonce: expected at least 128 random bits in base64, came another text");
    }
    return Object.freeze({
      ...standing,
      [CSP]: policy.replaceAll("{nonce}", nonce),
      ...(tried === undefined ? {} : { [REPORT_ONLY]: tried.replaceAll("{nonce}", nonce) }),
    });
  };
}

/** pageHeaders are the headers of one page, as {@link createPageHeaders} makes them. Throws as that does. */
export const pageHeaders = ({ nonce, ...options }: PageHeaderOptions): HeaderRecord =>
  createPageHeaders(options)(nonce);

/** pageNonce makes the nonce of one answer: 128 random bits. */
export const pageNonce = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));

/** A path of this origin, or an address elsewhere. */
function collector(url: string, field: string): string {
  const isPath = /^\/(?![/\\])[!#-+\--:<-[\]-~]*$/.test(url);
  const isAddress = URL.canParse(url) && /^https?:\/\/[!#-+\--:<-[\]-~]+$/.test(url);
  if (isPath || isAddress) return url;
  throw new TypeError(
    `${field}: expected a path or URL of a collector, came ${JSON.stringify(url)}`,
  );
}
