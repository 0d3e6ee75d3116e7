import { and, eq, inArray, isNull } from "drizzle-orm";
import {
  type EventContext,
  ForbiddenError,
  NotFoundError,
  type UserPrincipal,
} from "../../core/index.ts";
import { memberships, type Orm, readUserAccess, userAccess, users } from "../../database/index.ts";
import type { AccessModel } from "../access-model.ts";

/** Who changes roles and tenants: the signed-in user of a request, or the system itself, as the command line is. */
export type By = EventContext | "system";

/** What of a model the administration of roles has to know. */
export type RoleModel = Pick<
  AccessModel,
  | "roles"
  | "permissions"
  | "isRole"
  | "isPermission"
  | "permissionsOf"
  | "permissionsOfRoles"
  | "rolesOf"
>;

/** Rights is what someone may give to others. */
export interface Rights {
  /** Permissions of the model that they do not hold. */
  readonly missing: readonly string[];
  /** Whether they hold a role from code, or one that includes it. */
  holdsRole(role: string): boolean;
  /** What is answered where their rights do not reach: 404 in a tenant that they have nothing to do with. */
  readonly refusal: () => Error;
}

/** When a role that is given for good would have to end. */
const NEVER = new Date(Date.UTC(9999, 0, 1));

const EVERYTHING: Rights = {
  missing: [],
  holdsRole: () => true,
  refusal: () => new ForbiddenError("You may not do this."),
};

/**
 * rightsOf reads what somebody may give, in a tenant or everywhere: what their session holds and what stands in the database, both. Only what
 * lasts until `until` counts, so that nobody makes more of a role that was lent to them. Their row has to be locked before.
 * Throws a ForbiddenError only if it is not a user who acts, or one who may not any more.
 */
export async function rightsOf(
  tx: Orm,
  model: RoleModel,
  by: By,
  scope: { readonly tenantId: string | null; readonly until: Date | "for good" },
): Promise<Rights> {
  if (by === "system") return EVERYTHING;
  const principal = userOf(by);
  const until = scope.until === "for good" ? NEVER : scope.until;
  const [row] = await tx
    .select({
      own: users.roles,
      everywhere: userAccess(null, until),
      inTenant: userAccess(scope.tenantId, until),
    })
    .from(users)
    .where(and(eq(users.id, principal.userId), isNull(users.disabledAt)));
  const everywhere = row && readUserAccess(row.own, row.everywhere);
  if (row === undefined || everywhere === undefined) throw EVERYTHING.refusal();
  const inTenant = readUserAccess(row.own, row.inTenant);
  const lasting: UserPrincipal = { ...principal, ...(inTenant ?? everywhere) };
  const held = new Set(model.permissionsOf(principal));
  const lastingly = new Set(model.permissionsOf(lasting));
  const roles = new Set(model.rolesOf(principal));
  const lastingRoles = new Set(model.rolesOf(lasting));
  return {
    missing: model.permissions.filter((name) => !(held.has(name) && lastingly.has(name))),
    holdsRole: (role) => roles.has(role) && lastingRoles.has(role),
    refusal: () => (inTenant === undefined ? new NotFoundError("Role") : EVERYTHING.refusal()),
  };
}

/** userOf is the user who acts. Throws a ForbiddenError only if none does: a key changes no roles. */
function userOf(by: EventContext): UserPrincipal {
  if (by.principal?.kind === "user") return by.principal;
  throw EVERYTHING.refusal();
}

/** idOf is who granted something: a user's id, or null for the system. */
export const idOf = (by: By): string | null => (by === "system" ? null : userOf(by).userId);

/** contextOf is what an event says of who did it. */
export const contextOf = (by: By): EventContext => (by === "system" ? {} : by);

/**
 * lockUsers holds the rows of users until the transaction ends, in one order for all, so that nobody's rights or sessions change meanwhile
 * and no two who act on each other wait for each other. Returns those that are there.
 */
export async function lockUsers(tx: Orm, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .select({ id: users.id })
    .from(users)
    .where(inArray(users.id, [...new Set(ids)]))
    .orderBy(users.id)
    .for("update");
  return rows.map(({ id }) => id);
}

/** holdMembership keeps someone in a tenant until the transaction ends; false where they are no member. */
export async function holdMembership(tx: Orm, tenantId: string, userId: string): Promise<boolean> {
  const rows = await tx
    .select({ id: memberships.id })
    .from(memberships)
    .where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, userId)))
    .for("key share");
  return rows.length > 0;
}
