import { and, asc, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import { type Orm, roleAssignments, roles, users } from "../../database/index.ts";

/** RoleView is a role that was made at run time. */
export interface RoleView {
  readonly id: string;
  /** The tenant that it belongs to; null for a role that can be given everywhere. */
  readonly tenantId: string | null;
  readonly name: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** AssignmentView is a role that somebody has: for good where `expiresAt` is null, everywhere where `tenantId` is. */
export interface AssignmentView {
  readonly userId: string;
  readonly role: string;
  readonly tenantId: string | null;
  readonly expiresAt: string | null;
  /** Who gave it; null for the system, and for roles that stand in the account itself. */
  readonly grantedBy: string | null;
}

export const toRoleView = (row: typeof roles.$inferSelect): RoleView => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export const toAssignmentView = (row: typeof roleAssignments.$inferSelect): AssignmentView => ({
  userId: row.userId,
  role: row.role,
  tenantId: row.tenantId,
  expiresAt: row.expiresAt?.toISOString() ?? null,
  grantedBy: row.grantedBy,
});

export const isUnexpired = (now: number): SQL | undefined =>
  or(isNull(roleAssignments.expiresAt), gt(roleAssignments.expiresAt, new Date(now)));

/**
 * isOfRole is the condition of the assignments that mean a role of the table: in a tenant that has one of its own by that name, its own is
 * meant and not the one of everywhere.
 */
export function isOfRole(role: { readonly name: string; readonly tenantId: string | null }): SQL {
  if (role.tenantId !== null) {
    return sql`(${roleAssignments.role} = ${role.name} AND ${roleAssignments.tenantId} = ${role.tenantId}::uuid)`;
  }
  return sql`(${roleAssignments.role} = ${role.name} AND (${roleAssignments.tenantId} IS NULL OR NOT EXISTS (
    SELECT 1 FROM ${roles} WHERE ${roles.name} = ${role.name} AND ${roles.tenantId} = ${roleAssignments.tenantId}
  )))`;
}

/** accountsWith lists whose account holds a role from code for good, as assignments. */
export async function accountsWith(orm: Orm, role: string): Promise<readonly AssignmentView[]> {
  const rows = await orm
    .select({ id: users.id })
    .from(users)
    .where(and(sql`${role} = ANY (${users.roles})`))
    .orderBy(asc(users.id));
  return rows.map(({ id }) => ({
    userId: id,
    role,
    tenantId: null,
    expiresAt: null,
    grantedBy: null,
  }));
}

/** assignmentsWhere lists assignments that are not over. */
export async function assignmentsWhere(
  orm: Orm,
  condition: SQL | undefined,
  now: number,
): Promise<readonly AssignmentView[]> {
  const rows = await orm
    .select()
    .from(roleAssignments)
    .where(and(condition, isUnexpired(now)))
    .orderBy(asc(roleAssignments.createdAt), asc(roleAssignments.id));
  return rows.map(toAssignmentView);
}

/** inScope is the condition of rows of one tenant, or of none. */
export const inScope = (
  column: typeof roles.tenantId | typeof roleAssignments.tenantId,
  tenantId: string | null,
): SQL => (tenantId === null ? isNull(column) : eq(column, tenantId));
