import { and, asc, eq, inArray, isNull, lte, or, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  NotFoundError,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import {
  type Database,
  type Orm,
  type OrmTransaction,
  roleAssignments,
  roles,
} from "../../database/index.ts";
import { isRoleName } from "../names.ts";
import {
  type By,
  contextOf,
  holdMembership,
  idOf,
  lockUsers,
  type Rights,
  type RoleModel,
  rightsOf,
} from "./grantor.ts";
import {
  checkDescription,
  checkExpiry,
  checkId,
  checkPermissions,
  checkRoleName,
} from "./role-input.ts";
import {
  asRefusal,
  checkMay,
  checkWithin,
  isWithin,
  keyOf,
  meantBy,
  taken,
  usersOf,
} from "./role-rights.ts";
import {
  type AssignmentView,
  accountsWith,
  assignmentsWhere,
  inScope,
  isOfRole,
  isUnexpired,
  type RoleView,
  toAssignmentView,
  toRoleView,
} from "./role-view.ts";

export interface RoleAdminOptions {
  readonly database: Database;
  readonly access: RoleModel;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /** Ends the sessions of a user, whose row is locked, in the transaction of the change. */
  endSessions(userId: string, tx: Orm): Promise<unknown>;
  /** Hears of each of those users once the change is committed, to forget what memory knows of them. */
  onChanged?(userId: string): void;
}

export interface NewRole {
  /** Lower case, digits, `_` and `-`; not a role's from code. */
  readonly name: string;
  readonly permissions: readonly string[];
  readonly description?: string | null | undefined;
  /** The tenant that it belongs to. Default: it can be given everywhere. */
  readonly tenantId?: string | null | undefined;
}

export interface RoleChanges {
  readonly permissions?: readonly string[] | undefined;
  readonly description?: string | null | undefined;
}

/** Which role somebody has, and where. */
export interface AssignmentKey {
  readonly userId: string;
  /** A role from code, or one that was made at run time. */
  readonly role: string;
  /** The tenant in which it counts. Default: everywhere. */
  readonly tenantId?: string | null | undefined;
}

export interface NewAssignment extends AssignmentKey {
  /** Default: for good. */
  readonly expiresAt?: Date | null | undefined;
}

/**
 * RoleAdmin makes roles at run time and gives roles to users. Nobody gives, changes or takes what they do not hold themselves, in that
 * tenant and for that long; `system` may do all of it. Whoever is concerned by a change is signed out by it, in the same transaction.
 * Who may administrate at all is decided by the route or the command that calls.
 *
 * Roles that stand in an account itself are not its business, and it leaves the last administrator as they are.
 */
export class RoleAdmin {
  readonly #o: RoleAdminOptions;
  readonly #clock: Clock;

  constructor(options: RoleAdminOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** createRole makes a role. Throws a ConflictError only if there is one of the name, there or everywhere. */
  async createRole(role: NewRole, by: By): Promise<RoleView> {
    const { access, database } = this.#o;
    const now = new Date(this.#clock.now());
    const name = checkRoleName(role.name, access);
    const tenantId = role.tenantId == null ? null : checkId(role.tenantId, "Tenant");
    const values = {
      id: uuidv7(now.getTime()),
      tenantId,
      name,
      description: checkDescription(role.description),
      permissions: checkPermissions(role.permissions, access),
      createdAt: now,
      updatedAt: now,
    };
    return database.transaction(async (tx) => {
      await lockUsers(tx, usersOf(by));
      const rights = await rightsOf(tx, access, by, { tenantId, until: "for good" });
      checkWithin(rights, values.permissions);
      // A tenant cannot have what stands everywhere, also when both are being made: names are made one after the other.
      await tx.execute(
        sql`SELECT pg_advisory_xact_lock(hashtext('bulwark.roles'), hashtext(${name}))`,
      );
      const [everywhere] = await tx
        .select({ id: roles.id })
        .from(roles)
        .where(and(eq(roles.name, name), isNull(roles.tenantId)));
      if (everywhere !== undefined) throw taken();
      const [row] = await tx
        .insert(roles)
        .values(values)
        .returning()
        .catch((error: unknown) => {
          throw asRefusal(error);
        });
      await this.#record(tx, "role.create", `role:${values.id}`, by, {
        name,
        tenantId,
        permissions: values.permissions,
      });
      return toRoleView(row as typeof roles.$inferSelect);
    });
  }

  /** updateRole changes what a role may, for all who have it. Throws a NotFoundError only if there is none. */
  async updateRole(roleId: string, changes: RoleChanges, by: By): Promise<RoleView> {
    const { access } = this.#o;
    const set = {
      ...(changes.permissions === undefined
        ? {}
        : { permissions: checkPermissions(changes.permissions, access) }),
      ...(changes.description === undefined
        ? {}
        : { description: checkDescription(changes.description) }),
      updatedAt: new Date(this.#clock.now()),
    };
    return this.#changeRole(roleId, by, async (tx, role, rights) => {
      checkWithin(rights, set.permissions ?? []);
      const [row] = await tx
        .update(roles)
        .set(set)
        .where(and(eq(roles.id, role.id), isWithin(rights)))
        .returning();
      if (row === undefined) throw rights.refusal();
      await this.#record(tx, "role.update", `role:${role.id}`, by, {
        name: role.name,
        tenantId: role.tenantId,
        before: role.permissions,
        permissions: row.permissions,
      });
      return toRoleView(row);
    });
  }

  /** deleteRole removes a role and takes it from all who have it. Throws a NotFoundError only if there is none. */
  async deleteRole(roleId: string, by: By): Promise<void> {
    await this.#changeRole(roleId, by, async (tx, role, rights) => {
      // Before the row: of everywhere's role it reads which tenants have their own.
      const taken = await tx.delete(roleAssignments).where(isOfRole(role)).returning();
      const rows = await tx
        .delete(roles)
        .where(and(eq(roles.id, role.id), isWithin(rights)))
        .returning({ id: roles.id });
      if (rows.length === 0) throw rights.refusal();
      const { name, tenantId } = role;
      const metadata = { name, tenantId, permissions: role.permissions, holders: taken.length };
      await this.#record(tx, "role.delete", `role:${role.id}`, by, metadata);
    });
  }

  /** listRoles lists the roles made at run time that can be given everywhere, or in a tenant: its own and those of everywhere. */
  async listRoles(scope: { readonly tenantId?: string | null } = {}): Promise<readonly RoleView[]> {
    const tenantId = scope.tenantId == null ? null : checkId(scope.tenantId, "Tenant");
    const own = tenantId === null ? undefined : eq(roles.tenantId, tenantId);
    const rows = await this.#o.database.run((orm) =>
      orm
        .select()
        .from(roles)
        .where(or(isNull(roles.tenantId), own))
        .orderBy(asc(roles.name), asc(roles.id)),
    );
    return rows.map(toRoleView);
  }

  /**
   * assign gives a role to a user, or changes until when they have it. Throws a NotFoundError only if there is no such user or role there,
   * or the user is no member of the tenant.
   */
  async assign(assignment: NewAssignment, by: By): Promise<AssignmentView> {
    const now = this.#clock.now();
    const { userId, tenantId } = keyOf(assignment);
    const expiresAt = checkExpiry(assignment.expiresAt, now);
    const view = await this.#o.database.transaction(async (tx) => {
      const meant = await meantBy(tx, this.#o.access, assignment.role, tenantId);
      if (meant === undefined) throw new NotFoundError("Role");
      const found = await lockUsers(tx, [userId, ...usersOf(by)]);
      const isThere = tenantId === null || (await holdMembership(tx, tenantId, userId));
      if (!isThere || !found.includes(userId)) throw new NotFoundError("User");
      const until = expiresAt ?? ("for good" as const);
      checkMay(await rightsOf(tx, this.#o.access, by, { tenantId, until }), meant);
      const values = {
        id: uuidv7(now),
        userId,
        role: meant.name,
        tenantId,
        expiresAt,
        grantedBy: idOf(by),
        createdAt: new Date(now),
      };
      const { userId: user, role, tenantId: tenant } = roleAssignments;
      const [row] = await tx
        .insert(roleAssignments)
        .values(values)
        .onConflictDoUpdate({
          target: tenantId === null ? [user, role] : [user, role, tenant],
          ...(tenantId === null ? { targetWhere: sql`tenant_id IS NULL` } : {}),
          set: { expiresAt, grantedBy: values.grantedBy },
        })
        .returning();
      await this.#o.endSessions(userId, tx);
      await this.#record(tx, "role.assign", `user:${userId}`, by, {
        role: meant.name,
        tenantId,
        expiresAt: expiresAt?.toISOString() ?? null,
      });
      return toAssignmentView(row as typeof roleAssignments.$inferSelect);
    });
    this.#o.onChanged?.(userId);
    return view;
  }

  /** unassign takes a role from a user. Throws a NotFoundError only if they do not have it by an assignment. */
  async unassign(assignment: AssignmentKey, by: By): Promise<void> {
    const { userId, tenantId } = keyOf(assignment);
    const { access, database } = this.#o;
    if (!isRoleName(assignment.role)) throw new NotFoundError("Assignment");
    await database.transaction(async (tx) => {
      // A role that is no more means nothing, and anyone may take it away.
      const known = await meantBy(tx, access, assignment.role, tenantId);
      const meant = known ?? { name: assignment.role, permissions: [], isFromCode: false };
      await lockUsers(tx, [userId, ...usersOf(by)]);
      const until = new Date(this.#clock.now());
      checkMay(await rightsOf(tx, access, by, { tenantId, until }), meant);
      const rows = await tx
        .delete(roleAssignments)
        .where(
          and(
            eq(roleAssignments.userId, userId),
            eq(roleAssignments.role, meant.name),
            inScope(roleAssignments.tenantId, tenantId),
          ),
        )
        .returning({ id: roleAssignments.id });
      if (rows.length === 0) throw new NotFoundError("Assignment");
      await this.#o.endSessions(userId, tx);
      const metadata = { role: meant.name, tenantId };
      await this.#record(tx, "role.unassign", `user:${userId}`, by, metadata);
    });
    this.#o.onChanged?.(userId);
  }

  /** assignmentsOf lists the roles that a user was given, and that are not over. */
  async assignmentsOf(userId: string): Promise<readonly AssignmentView[]> {
    const id = checkId(userId, "User");
    return this.#o.database.run((orm) =>
      assignmentsWhere(orm, eq(roleAssignments.userId, id), this.#clock.now()),
    );
  }

  /** holdersOf lists who has a role in a tenant, or everywhere: by an assignment that is not over, or for good by their account. */
  async holdersOf(
    role: string,
    scope: { readonly tenantId?: string | null } = {},
  ): Promise<readonly AssignmentView[]> {
    const tenantId = scope.tenantId == null ? null : checkId(scope.tenantId, "Tenant");
    if (!isRoleName(role)) return [];
    const which = and(
      eq(roleAssignments.role, role),
      or(isNull(roleAssignments.tenantId), inScope(roleAssignments.tenantId, tenantId)),
    );
    return this.#o.database.run(async (orm) => [
      ...(this.#o.access.isRole(role) ? await accountsWith(orm, role) : []),
      ...(await assignmentsWhere(orm, which, this.#clock.now())),
    ]);
  }

  /** dropExpired deletes the assignments that are over, which count for nothing already, and returns how many. */
  async dropExpired(): Promise<number> {
    const now = new Date(this.#clock.now());
    const rows = await this.#o.database.run((orm) =>
      orm
        .delete(roleAssignments)
        .where(lte(roleAssignments.expiresAt, now))
        .returning({ id: roleAssignments.id }),
    );
    return rows.length;
  }

  /** shadowed lists the roles made at run time whose names the code has taken since: who was given one now has the code's. */
  async shadowed(): Promise<readonly RoleView[]> {
    const { access, database } = this.#o;
    const names = [...access.roles];
    if (names.length === 0) return [];
    const rows = await database.run((orm) =>
      orm.select().from(roles).where(inArray(roles.name, names)).orderBy(asc(roles.name)),
    );
    return rows.map(toRoleView);
  }

  /** Holds the role, then all who have it and who changes it, and ends the sessions of the former. */
  async #changeRole<T>(
    roleId: string,
    by: By,
    change: (tx: OrmTransaction, role: typeof roles.$inferSelect, rights: Rights) => Promise<T>,
  ): Promise<T> {
    const id = checkId(roleId, "Role");
    const concerned: string[] = [];
    const result = await this.#o.database.transaction(async (tx) => {
      const [role] = await tx.select().from(roles).where(eq(roles.id, id)).for("update");
      if (role === undefined) throw new NotFoundError("Role");
      const holders = await tx
        .select({ userId: roleAssignments.userId })
        .from(roleAssignments)
        .where(and(isOfRole(role), isUnexpired(this.#clock.now())));
      concerned.push(...new Set(holders.map(({ userId }) => userId)));
      await lockUsers(tx, [...concerned, ...usersOf(by)]);
      const { tenantId } = role;
      const rights = await rightsOf(tx, this.#o.access, by, { tenantId, until: "for good" });
      const changed = await change(tx, role, rights);
      for (const userId of concerned) await this.#o.endSessions(userId, tx);
      return changed;
    });
    for (const userId of concerned) this.#o.onChanged?.(userId);
    return result;
  }

  #record(
    tx: OrmTransaction,
    what: string,
    resource: string,
    by: By,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const type = `access.${what}`;
    const action = what.split(".").at(-1);
    return this.#o.audit.record(
      { type, severity: "high", result: "success", resource, action, metadata },
      contextOf(by),
      tx,
    );
  }
}
