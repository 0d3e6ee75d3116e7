/** A host suffix that was parsed: the parts that an origin's own must equal, or end with. */
interface OriginSuffix {
  readonly protocol: string;
  /** Such as `.example.com`. */
  readonly host: string;
  readonly port: string;
}

/** OriginList is an allow-list, read once. No entry of it is ever a pattern. */
export interface OriginList {
  readonly isAny: boolean;
  readonly exact: readonly string[];
  readonly suffixes: readonly OriginSuffix[];
}

const SUFFIX_MARK = "//*.";

/** isExactOrigin tells an origin as a browser spells it: scheme, host and port, and nothing else (RFC 6454 section 6.2). */
export const isExactOrigin = (text: string): boolean => parsed(text) !== undefined;

/** originProblem says what is wrong with an entry of an allow-list, or returns undefined. */
export function originProblem(entry: unknown): string | undefined {
  if (typeof entry !== "string") return "an origin as a text";
  if (entry === "*" || isExactOrigin(entry) || suffixOf(entry) !== undefined) return undefined;
  if (entry.includes("*")) return 'a whole host behind "*.", such as "https://*.example.com"';
  return 'an origin such as "https://app.example.com", without a path, in lower case';
}

/** originList reads entries that {@link originProblem} has nothing to say of. */
export function originList(entries: readonly string[]): OriginList {
  const suffixes = entries.map(suffixOf).filter((suffix) => suffix !== undefined);
  return { isAny: entries.includes("*"), exact: entries.filter(isExactOrigin), suffixes };
}

/**
 * isUnderSuffix tells whether an origin's host stands below a listed one, under the same scheme and port. The host is compared as it
 * was parsed, by its end: `https://a.example.com.evil.example` ends otherwise, and `https://evil-example.com` has no dot there.
 */
export function isUnderSuffix(origin: string, suffixes: readonly OriginSuffix[]): boolean {
  if (suffixes.length === 0) return false;
  const url = parsed(origin);
  if (url === undefined) return false;
  return suffixes.some(
    ({ protocol, host, port }) =>
      url.protocol === protocol &&
      url.port === port &&
      url.hostname.length > host.length &&
      url.hostname.endsWith(host),
  );
}

/** A suffix has two labels at least, so that no whole top-level domain is allowed; `localhost` may stand alone. */
function suffixOf(entry: string): OriginSuffix | undefined {
  const mark = entry.indexOf(SUFFIX_MARK);
  if (mark === -1) return undefined;
  const url = parsed(`${entry.slice(0, mark)}//x.${entry.slice(mark + SUFFIX_MARK.length)}`);
  if (url === undefined) return undefined;
  const host = url.hostname.slice(1);
  if (host.lastIndexOf(".") === 0 && host !== ".localhost") return undefined;
  return { protocol: url.protocol, host, port: url.port };
}

/** Names are at most 253 characters long (RFC 1035 section 3.1). */
const MAX_LENGTH = 300;

/** Letters, digits and hyphens, or an IPv6 address: the parser itself takes `*` for a letter. */
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:]+\])$/;

/** parsed reads an origin only in its one spelling: what the parser would write otherwise is none. */
function parsed(text: string): URL | undefined {
  if (text.length > MAX_LENGTH || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return isWeb && HOST.test(url.hostname) && url.origin === text ? url : undefined;
}
