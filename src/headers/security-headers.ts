import type { HeaderRecord } from "../core/index.ts";
import { apiHeaders, type HeaderOptions } from "./api-headers.ts";
import { type PageHeaderOptions, pageHeaders } from "./page-headers.ts";

/** A Response, or anything else with Headers. */
interface WebResponse {
  readonly headers: Headers;
}

/** A response of node:http, or of a framework on it. */
interface NodeResponse {
  setHeader(name: string, value: string): unknown;
  hasHeader(name: string): boolean;
}

type Pairs = readonly (readonly [name: string, value: string])[];

interface Split {
  /** What a page sets for itself, and then stands. */
  readonly pagesOwn: Pairs;
  readonly others: Pairs;
}

/**
 * setSecurityHeaders sets the headers of {@link apiHeaders} on a response, Node's or the Web's, and returns it; with a `nonce` those of
 * {@link pageHeaders}. A header that the response has already is replaced, except Content-Security-Policy and Cache-Control, which a
 * page sets for itself. An options object that is kept is read once.
 * Throws a TypeError only if an option is not valid, or the response's headers cannot be changed, as those of a fetched one.
 */
export function setSecurityHeaders<R extends WebResponse | NodeResponse>(
  response: R,
  options: HeaderOptions | PageHeaderOptions = DEFAULTS,
): R {
  const { pagesOwn, others } = splitOf(options);
  if ("setHeader" in response) {
    for (const [name, value] of pagesOwn) {
      if (!response.hasHeader(name)) response.setHeader(name, value);
    }
    for (const [name, value] of others) response.setHeader(name, value);
  } else {
    const { headers } = response;
    for (const [name, value] of pagesOwn) if (!headers.has(name)) headers.set(name, value);
    for (const [name, value] of others) headers.set(name, value);
  }
  return response;
}

/** securityHeaders returns a Response with the same status and body, and the headers of {@link setSecurityHeaders}. */
export function securityHeaders(
  response: Response,
  options: HeaderOptions | PageHeaderOptions = DEFAULTS,
): Response {
  const { status, statusText } = response;
  // A copy of the headers: a host's own Response class may keep those that it is given.
  const headers = new Headers(response.headers);
  setSecurityHeaders({ headers }, options);
  return new Response(response.body, { status, statusText, headers });
}

const DEFAULTS: HeaderOptions = Object.freeze({});
const PAGES_OWN: ReadonlySet<string> = new Set(["content-security-policy", "cache-control"]);
const known = new WeakMap<object, Split>();

function splitOf(options: HeaderOptions | PageHeaderOptions): Split {
  let split = known.get(options);
  if (split === undefined) {
    const record: HeaderRecord = "nonce" in options ? pageHeaders(options) : apiHeaders(options);
    const pairs = Object.entries(record);
    split = {
      pagesOwn: pairs.filter(([name]) => PAGES_OWN.has(name)),
      others: pairs.filter(([name]) => !PAGES_OWN.has(name)),
    };
    known.set(options, split);
  }
  return split;
}
