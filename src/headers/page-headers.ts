import type { HeaderRecord } from "../core/index.ts";
import { apiHeaders, type HeaderOptions } from "./api-headers.ts";

export interface PageHeaderOptions extends HeaderOptions {
  /** What the page's own scripts and styles carry as `nonce`; at least 128 random bits in base64, new for every answer. */
  readonly nonce: string;
}

const NONCE = /^[A-Za-z0-9+/_-]{22,}={0,2}$/;

/**
 * pageHeaders are the headers of a page of ours: those of {@link apiHeaders}, with a policy under which only scripts and
 * styles that carry the nonce run, and what those scripts import (CSP Level 3 section 8.2, `strict-dynamic`). No text becomes
 * markup or script (Trusted Types), and nothing comes from, goes to, or frames it from elsewhere.
 * Throws a TypeError only if the nonce is not one.
 */
export function pageHeaders({ nonce, ...options }: PageHeaderOptions): HeaderRecord {
  if (!NONCE.test(nonce)) {
    throw new TypeError("nonce: expected at least 128 random bits in base64, came another text");
  }
  return Object.freeze({
    ...apiHeaders(options),
    "content-security-policy": [
      "default-src 'none'",
      `script-src 'nonce-${nonce}' 'strict-dynamic'`,
      `style-src 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; "),
  });
}

/** pageNonce makes the nonce of one answer: 128 random bits. */
export const pageNonce = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
