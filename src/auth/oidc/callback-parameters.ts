import { BaseAPIError, ValidationError } from "../../core/index.ts";

const STATE = /^[A-Za-z0-9_-]{43}$/;
const MAX_SEARCH = 8_192;
const MAX_PARAMETERS = 20;

/**
 * readCallback reads the state and the issuer of an authorization response. Throws INVALID_REQUEST only if the query is longer than 8 KiB,
 * has a parameter twice (RFC 6749 section 3.1), or has no state of ours.
 */
export function readCallback(search: string): {
  readonly state: string;
  readonly iss: string | undefined;
} {
  const parameters = search.length > MAX_SEARCH ? undefined : new URLSearchParams(search);
  const names = [...(parameters?.keys() ?? [])];
  const state = parameters?.get("state") ?? "";
  const isPlain = names.length <= MAX_PARAMETERS && new Set(names).size === names.length;
  if (!isPlain || !STATE.test(state)) {
    throw new BaseAPIError("INVALID_REQUEST", "This is no answer to a sign-in that began here.");
  }
  return { state, iss: parameters?.get("iss") ?? undefined };
}

/** A path, its query and its fragment, in characters that mean the same to everyone who reads a URL. */
const PATH = /^\/(?![/\\])[A-Za-z0-9\-._~%!$&'()*+,;=:@/?#]{0,1023}$/;

/**
 * checkReturnTo returns a path on our own origin as it came. Throws a ValidationError only if the value is anything else: a list, a
 * URL, a scheme, `//host`, a backslash, a control character.
 * @public
 */
export function checkReturnTo(value: unknown, issuer: string): string {
  if (typeof value === "string" && PATH.test(value) && URL.canParse(value, issuer)) {
    if (new URL(value, issuer).origin === new URL(issuer).origin) return value;
  }
  throw new ValidationError([
    { field: "returnTo", message: "Expected a path on this site.", code: "invalid_return_to" },
  ]);
}
