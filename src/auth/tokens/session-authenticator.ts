import {
  type Authenticator,
  type AuthResult,
  isPromise,
  UnauthorizedError,
  type UserPrincipal,
} from "../../core/index.ts";
import type { TokenPayload, TokenService } from "./token-service.ts";

/** What stands before a token; what the token may be made of is its reader's to say. */
const SCHEME = /^Bearer +/i;

/**
 * sessionAuthenticator admits a bearer token (RFC 6750 section 2.1) whose session is alive. Another scheme, and a token that
 * fails, are `refused`; only a request without Authorization is `absent`.
 */
export function sessionAuthenticator(tokens: TokenService): Authenticator {
  return {
    authenticate(request, info) {
      const authorization =
        info.get === undefined ? request.headers.get("authorization") : info.get("authorization");
      if (authorization === null) return { isAuthenticated: false, reason: "absent" };
      const scheme = SCHEME.exec(authorization)?.[0];
      if (scheme === undefined) return { isAuthenticated: false, reason: "refused" };
      try {
        const payload = tokens.verifyToken(authorization.slice(scheme.length));
        return isPromise(payload) ? payload.then(admit, refuse) : admit(payload);
      } catch (error) {
        return refuse(error);
      }
    },
  };
}

function admit(payload: TokenPayload): AuthResult {
  const { userId, sessionId, tenantId, roles, permissions, methods } = payload;
  const principal: UserPrincipal = {
    kind: "user",
    userId,
    sessionId,
    via: "bearer",
    methods,
    tenantId,
    roles,
    permissions,
  };
  return { isAuthenticated: true, principal };
}

/** A token that is wrong is refused; that it could not be judged is for the pipeline to answer, as unavailable. */
function refuse(error: unknown): AuthResult {
  if (!(error instanceof UnauthorizedError)) throw error;
  const code = error.code === "TOKEN_EXPIRED" ? "TOKEN_EXPIRED" : "UNAUTHORIZED";
  return { isAuthenticated: false, reason: "refused", code };
}
