import { and, asc, eq, isNull, or, sql } from "drizzle-orm";
import { ConflictError } from "../../core/index.ts";
import { isUniqueViolation, type Orm, roles } from "../../database/index.ts";
import { isRoleName } from "../names.ts";
import { type By, idOf, type Rights, type RoleModel } from "./grantor.ts";
import { checkId } from "./role-input.ts";
import { inScope } from "./role-view.ts";

/** A role as an assignment means it: one from code has no row. */
interface Meant {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly isFromCode: boolean;
}

/** meantBy is what a name means in a tenant, or everywhere; undefined for no role. The row is held, so that it is not deleted meanwhile. */
export async function meantBy(
  tx: Orm,
  model: RoleModel,
  name: string,
  tenantId: string | null,
): Promise<Meant | undefined> {
  if (!isRoleName(name)) return undefined;
  if (model.isRole(name)) {
    const permissions = model.permissionsOfRoles({ roles: [name] });
    return { name, permissions, isFromCode: true };
  }
  const scope = or(isNull(roles.tenantId), inScope(roles.tenantId, tenantId));
  const [role] = await tx
    .select()
    .from(roles)
    .where(and(eq(roles.name, name), scope))
    .orderBy(asc(roles.tenantId))
    .for("key share");
  if (role === undefined) return undefined;
  return { name, permissions: role.permissions, isFromCode: false };
}

/** usersOf lists whose rows a change locks because of who makes it. */
export const usersOf = (by: By): readonly string[] => {
  const id = idOf(by);
  return id === null ? [] : [id];
};

export const keyOf = ({
  userId,
  tenantId,
}: {
  readonly userId: string;
  readonly tenantId?: string | null | undefined;
}) => ({
  userId: checkId(userId, "User"),
  tenantId: tenantId == null ? null : checkId(tenantId, "Tenant"),
});

export const taken = (): ConflictError =>
  new ConflictError("There is a role of this name already.");

export const asRefusal = (error: unknown): unknown => (isUniqueViolation(error) ? taken() : error);

/** checkWithin: nobody gives what they do not hold. */
export function checkWithin(rights: Rights, permissions: readonly string[]): void {
  if (permissions.some((name) => rights.missing.includes(name))) throw rights.refusal();
}

/** checkMay refuses to give or take a role that reaches further than the rights of who does it. */
export function checkMay(rights: Rights, { name, permissions, isFromCode }: Meant): void {
  // A role from code may mean more than its permissions: rules, and routes that ask for it.
  if (isFromCode && !rights.holdsRole(name)) throw rights.refusal();
  checkWithin(rights, permissions);
}

/** isWithin is the same as a condition of the statement: the role may do nothing now that its changer may not. */
export const isWithin = ({ missing }: Rights) =>
  missing.length === 0
    ? undefined
    : sql`NOT (${roles.permissions} && ARRAY[${sql.join(
        missing.map((name) => sql`${name}`),
        sql`, `,
      )}]::text[])`;
