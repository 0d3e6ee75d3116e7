import { type AnyColumn, type SQL, sql } from "drizzle-orm";
import { memberships, roleAssignments, roles } from "./access.ts";
import { users } from "./auth.ts";

/** UserAccess is what a user may do at a moment, in a tenant or outside of any. */
export interface UserAccess {
  readonly roles: readonly string[];
  /** Permissions of roles that were made at run time. */
  readonly permissions: readonly string[];
  /** When this is to be read again, since a role expires then. */
  readonly until: number | undefined;
}

/**
 * userAccess is a column of a statement that reads `users`: which assigned roles stand for the user in that tenant, read with the row
 * they belong to, so that no decision is made on roles of another moment. Null where the user is no member of the tenant.
 */
export function userAccess(tenantId: AnyColumn | string | null, now: Date): SQL<unknown> {
  const tenant = tenantId === null ? sql`NULL::uuid` : sql`${tenantId}::uuid`;
  // Nested, since drizzle strips the names of tables from the columns of a field in a select of one table.
  return sql`${sql`CASE WHEN ${tenant} IS NULL OR EXISTS (
    SELECT 1 FROM ${memberships}
    WHERE ${memberships.tenantId} = ${tenant} AND ${memberships.userId} = ${users.id}
  ) THEN (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
      'role', ${roleAssignments.role},
      'until', extract(epoch FROM ${roleAssignments.expiresAt}) * 1000,
      'permissions', (
        SELECT ${roles.permissions} FROM ${roles}
        WHERE ${roles.name} = ${roleAssignments.role}
          AND (${roles.tenantId} IS NULL OR ${roles.tenantId} = ${roleAssignments.tenantId})
        ORDER BY ${roles.tenantId} NULLS LAST LIMIT 1
      )
    )), '[]'::jsonb)
    FROM ${roleAssignments}
    WHERE ${roleAssignments.userId} = ${users.id}
      AND (${roleAssignments.tenantId} IS NULL OR ${roleAssignments.tenantId} = ${tenant})
      AND (${roleAssignments.expiresAt} IS NULL OR ${roleAssignments.expiresAt} > ${now.toISOString()}::timestamptz)
  ) END`}`;
}

interface Assigned {
  readonly role: string;
  readonly until: number | null;
  readonly permissions: readonly string[] | null;
}

/**
 * readUserAccess joins what {@link userAccess} read with the roles that stand in the user's own row, as far as `holds` lets a role stand;
 * undefined where the user is no member of the tenant.
 */
export function readUserAccess(
  own: readonly string[],
  read: unknown,
  holds: (role: string) => boolean = () => true,
): UserAccess | undefined {
  if (!Array.isArray(read)) return undefined;
  const assigned = (read as readonly Assigned[]).filter(({ role }) => holds(role));
  const ends = assigned.flatMap(({ until }) => until ?? []);
  return {
    roles: [...new Set([...own.filter(holds), ...assigned.map(({ role }) => role)])],
    permissions: [...new Set(assigned.flatMap(({ permissions }) => permissions ?? []))],
    until: ends.length === 0 ? undefined : Math.min(...ends),
  };
}
