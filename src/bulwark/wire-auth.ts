import { sessionCookieOf } from "../auth/index.ts";
import {
  type Authenticator,
  type AuthInfo,
  type AuthResult,
  type Awaitable,
  isPromise,
} from "../core/index.ts";

/** Headers that carry a credential of ours; our session cookie is a third. */
const CREDENTIALS = ["authorization", "x-api-key"] as const;

/**
 * composeAuthenticators asks one after the other while the answer is `absent`. Two credentials on one request are refused
 * as ambiguous, before either is read. With `cookies: false` our cookie is none, as where a stale one must not keep a person from
 * signing in.
 */
export function composeAuthenticators(
  authenticators: readonly Authenticator[],
  options: { readonly cookies?: boolean } = {},
): (request: Request, info: AuthInfo) => Awaitable<AuthResult> {
  const absent: AuthResult = { isAuthenticated: false, reason: "absent" };

  const askFrom = (index: number, request: Request, info: AuthInfo): Awaitable<AuthResult> => {
    const authenticator = authenticators[index];
    if (authenticator === undefined) return absent;
    const result = authenticator.authenticate(request, info);
    if (!isPromise(result)) {
      return isAbsent(result) ? askFrom(index + 1, request, info) : result;
    }
    return result.then((settled) =>
      isAbsent(settled) ? askFrom(index + 1, request, info) : settled,
    );
  };

  return (request, info) => {
    let given = 0;
    for (const name of CREDENTIALS) {
      if (headerOf(request, info, name) !== null) given += 1;
    }
    if (
      options.cookies !== false &&
      sessionCookieOf(headerOf(request, info, "cookie")) !== undefined
    )
      given += 1;
    if (given === 0) return absent;
    if (given > 1) return { isAuthenticated: false, reason: "refused", code: "INVALID_REQUEST" };
    return askFrom(0, request, info);
  };
}

const headerOf = (request: Request, info: AuthInfo, name: string): string | null =>
  info.get === undefined ? request.headers.get(name) : info.get(name);

const isAbsent = (result: AuthResult): boolean =>
  !result.isAuthenticated && result.reason === "absent";
