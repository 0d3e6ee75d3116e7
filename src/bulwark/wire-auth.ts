import type { Authenticator, AuthInfo, AuthResult, Awaitable } from "../core/index.ts";

/** Headers that carry a credential of ours. */
const CREDENTIALS = ["authorization", "x-api-key"] as const;

/**
 * composeAuthenticators asks one after the other while the answer is `absent`. Two credentials on one request are refused
 * as ambiguous, before either is read.
 */
export function composeAuthenticators(
  authenticators: readonly Authenticator[],
): (request: Request, info: AuthInfo) => Awaitable<AuthResult> {
  const absent: AuthResult = { isAuthenticated: false, reason: "absent" };

  const ask = async (request: Request, info: AuthInfo): Promise<AuthResult> => {
    for (const authenticator of authenticators) {
      const result = await authenticator.authenticate(request, info);
      if (result.isAuthenticated || result.reason !== "absent") return result;
    }
    return absent;
  };

  return (request, info) => {
    let given = 0;
    for (const name of CREDENTIALS) {
      if ((info.get === undefined ? request.headers.get(name) : info.get(name)) !== null)
        given += 1;
    }
    if (given === 0) return absent;
    if (given > 1) return { isAuthenticated: false, reason: "refused", code: "INVALID_REQUEST" };
    const [only] = authenticators;
    if (authenticators.length === 1 && only !== undefined) {
      const result = only.authenticate(request, info);
      return result;
    }
    return ask(request, info);
  };
}
