import type { Authenticated, Wrapper } from "../core/index.ts";
import { referenceAccess } from "./reference.ts";
import type { Role } from "./roles.ts";

/**
 * requireRoles lets a handler run only for a principal that has one of the roles, or one that includes it; 401 without a principal,
 * 403 without the role. The roles are those that the session's read found, whatever a token claims.
 * Throws a TypeError, when the route is defined, only if no role is named or one is unknown.
 */
export const requireRoles = (...required: readonly Role[]): Wrapper<Authenticated> =>
  referenceAccess.requireRoles(...required);
