import {
  type Authenticated,
  ForbiddenError,
  type RequestContext,
  type Stage,
  UnauthorizedError,
  type Wrapper,
  wrapper,
} from "../core/index.ts";
import { isRole, ROLES, type Role } from "./roles.ts";

/** mayAct is the decision: one of the required roles is enough, and nobody has none. */
export const mayAct = (roles: readonly string[] | undefined, required: readonly Role[]): boolean =>
  roles !== undefined && required.some((role) => roles.includes(role));

/**
 * requireRoles lets a handler run only for a principal that has one of the roles; 401 without a principal, 403 without the
 * role. The roles are those that the session's read found, whatever a token claims.
 * Throws a TypeError, when the route is defined, only if no role is named or one is unknown.
 */
export function requireRoles(...required: readonly Role[]): Wrapper<Authenticated> {
  const unknown = required.find((role) => !isRole(role));
  if (required.length === 0 || unknown !== undefined) {
    throw new TypeError(
      `requireRoles: expected some of ${ROLES.join(", ")}, came ${unknown ?? "nothing"}`,
    );
  }
  const stage: Stage = {
    phase: "authorize",
    policy: { name: "requireRoles", options: required },
    bind: () => (context: RequestContext) => {
      if (context.principal === undefined) return new UnauthorizedError();
      return mayAct(context.roles, required) ? "pass" : new ForbiddenError();
    },
  };
  return wrapper<Authenticated>(stage);
}
