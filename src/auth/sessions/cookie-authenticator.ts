import { type Authenticator, type AuthResult, isPromise } from "../../core/index.ts";
import { readCookie, SESSION_COOKIE } from "./cookies.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

const refused: AuthResult = { isAuthenticated: false, reason: "refused" };

/** sessionCookieOf returns the secret in the session cookie of a Cookie header. */
export const sessionCookieOf = (header: string | null): ReturnType<typeof readCookie> =>
  readCookie(header, SESSION_COOKIE);

/** cookieAuthenticator admits a session cookie whose session is alive; one that comes twice, or is over, is refused. */
export function cookieAuthenticator(sessions: SessionStore): Authenticator {
  return {
    authenticate(request, info) {
      const cookie = sessionCookieOf(
        info.get === undefined ? request.headers.get("cookie") : info.get("cookie"),
      );
      if (cookie === undefined) return { isAuthenticated: false, reason: "absent" };
      if (cookie === "ambiguous") return refused;
      const session = sessions.readCookie(cookie.value);
      return isPromise(session) ? session.then(admit) : admit(session);
    },
  };
}

function admit(session: Session | undefined): AuthResult {
  if (session === undefined) return refused;
  const { id: sessionId, userId, methods, tenantId, roles, permissions } = session;
  return {
    isAuthenticated: true,
    principal: {
      kind: "user",
      userId,
      sessionId,
      via: "cookie",
      methods,
      tenantId,
      roles,
      permissions,
    },
  };
}
