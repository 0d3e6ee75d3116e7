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

interface Split {
  /** What a page sets for itself, and then stands. Names and values in turn. */
  readonly pagesOwn: readonly string[];
  readonly others: readonly string[];
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
  const { pagesOwn, others } = options === DEFAULTS ? USUAL : splitOf(options);
  if (isWeb(response)) {
    const { headers } = response;
    for (let at = 0; at < pagesOwn.length; at += 2) {
      const name = pagesOwn[at] as string;
      if (!headers.has(name)) headers.set(name, pagesOwn[at + 1] as string);
    }
    for (let at = 0; at < others.length; at += 2) {
      headers.set(others[at] as string, others[at + 1] as string);
    }
  } else {
    for (let at = 0; at < pagesOwn.length; at += 2) {
      const name = pagesOwn[at] as string;
      if (!response.hasHeader(name)) response.setHeader(name, pagesOwn[at + 1] as string);
    }
    for (let at = 0; at < others.length; at += 2) {
      response.setHeader(others[at] as string, others[at + 1] as string);
    }
  }
  return response;
}

const isWeb = (response: WebResponse | NodeResponse): response is WebResponse =>
  "headers" in response;

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
    split = splitUp("nonce" in options ? pageHeaders(options) : apiHeaders(options));
    known.set(options, split);
  }
  return split;
}

function splitUp(record: HeaderRecord): Split {
  const pairs = Object.entries(record);
  const listOf = (isPagesOwn: boolean): readonly string[] =>
    pairs.filter(([name]) => PAGES_OWN.has(name) === isPagesOwn).flat();
  return { pagesOwn: listOf(true), others: listOf(false) };
}

const USUAL = splitUp(apiHeaders(DEFAULTS));
