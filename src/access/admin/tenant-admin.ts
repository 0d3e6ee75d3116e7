import { and, asc, count, eq } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  NotFoundError,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import {
  type Database,
  memberships,
  type Orm,
  type OrmTransaction,
  roleAssignments,
  roles,
  sessions,
  tenants,
  users,
} from "../../database/index.ts";
import { type By, contextOf, lockUsers } from "./grantor.ts";
import { checkId, checkTenantName } from "./role-input.ts";

export interface TenantAdminOptions {
  readonly database: Database;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /** Hears of each user whose sessions in a tenant have ended, once that is committed, to forget what memory knows of them. */
  onChanged?(userId: string): void;
  /** Hears which tenant is gone, once that is committed; what belonged to it is gone too. */
  onDeleted?(tenantId: string): void;
}

export interface TenantView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface MemberView {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  /** Since when. */
  readonly createdAt: string;
}

/** One page of a list, counted from 1. */
export interface PageQuery {
  readonly page: number;
  /** 1 to 100. */
  readonly limit: number;
}

/**
 * TenantAdmin makes tenants and says who belongs to them. Who leaves one, or loses it, is signed out of it and loses the roles that they had
 * in it, in the same transaction. Who may administrate is decided by the route or the command that calls.
 */
export class TenantAdmin {
  readonly #o: TenantAdminOptions;
  readonly #clock: Clock;

  constructor(options: TenantAdminOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  async create(tenant: { readonly name: string }, by: By): Promise<TenantView> {
    const name = checkTenantName(tenant.name);
    const now = this.#clock.now();
    return this.#o.database.transaction(async (tx) => {
      const [row] = await tx
        .insert(tenants)
        .values({ id: uuidv7(now), name, createdAt: new Date(now) })
        .returning();
      const made = toView(row as typeof tenants.$inferSelect);
      await this.#record(tx, "create", made.id, by, { name });
      return made;
    });
  }

  /** rename gives a tenant another name. Throws a NotFoundError only if there is none. */
  async rename(tenantId: string, name: string, by: By): Promise<TenantView> {
    const id = checkId(tenantId, "Tenant");
    const renamed = checkTenantName(name);
    return this.#o.database.transaction(async (tx) => {
      const [row] = await tx
        .update(tenants)
        .set({ name: renamed })
        .where(eq(tenants.id, id))
        .returning();
      if (row === undefined) throw missing(id);
      await this.#record(tx, "rename", id, by, { name: renamed });
      return toView(row);
    });
  }

  /**
   * delete removes a tenant with its members, roles and sessions. Rows of an application's own tables are theirs to remove. Throws a
   * NotFoundError only if there is none.
   */
  async delete(tenantId: string, by: By): Promise<void> {
    const id = checkId(tenantId, "Tenant");
    const members = await this.#o.database.transaction(async (tx) => {
      // In the order in which everybody else takes them: roles, users, and then the tenant.
      await tx.select({ id: roles.id }).from(roles).where(eq(roles.tenantId, id)).for("update");
      const ids = await tx
        .select({ userId: memberships.userId })
        .from(memberships)
        .where(eq(memberships.tenantId, id));
      await lockUsers(
        tx,
        ids.map(({ userId }) => userId),
      );
      const ended = await tx
        .delete(sessions)
        .where(eq(sessions.tenantId, id))
        .returning({ userId: sessions.userId });
      const [row] = await tx.delete(tenants).where(eq(tenants.id, id)).returning();
      if (row === undefined) throw missing(id);
      await this.#record(tx, "delete", id, by, { name: row.name, members: ids.length });
      return new Set([...ids, ...ended].map(({ userId }) => userId));
    });
    for (const userId of members) this.#o.onChanged?.(userId);
    this.#o.onDeleted?.(id);
  }

  /** addMember takes a user into a tenant; one who is in it already stays. Throws a NotFoundError only if there is no such tenant or user. */
  async addMember(tenantId: string, userId: string, by: By): Promise<void> {
    const tenant = checkId(tenantId, "Tenant");
    const user = checkId(userId, "User");
    const now = this.#clock.now();
    await this.#o.database.transaction(async (tx) => {
      const [found] = await tx
        .select()
        .from(tenants)
        .where(eq(tenants.id, tenant))
        .for("key share");
      if (found === undefined) throw missing(tenant);
      const [known] = await lockUsers(tx, [user]);
      if (known === undefined) throw new NotFoundError("User", user);
      const added = await tx
        .insert(memberships)
        .values({ id: uuidv7(now), tenantId: tenant, userId: user, createdAt: new Date(now) })
        .onConflictDoNothing()
        .returning({ id: memberships.id });
      if (added.length === 0) return;
      await this.#record(tx, "member.add", tenant, by, { userId: user });
    });
  }

  /**
   * removeMember ends a membership, the roles that came with the tenant and the sessions in it. Throws a NotFoundError only if the user is
   * no member.
   */
  async removeMember(tenantId: string, userId: string, by: By): Promise<void> {
    const tenant = checkId(tenantId, "Tenant");
    const user = checkId(userId, "User");
    await this.#o.database.transaction(async (tx) => {
      // Whoever gives them a role in the tenant meanwhile holds their row, and is waited for.
      await lockUsers(tx, [user]);
      const gone = await tx
        .delete(memberships)
        .where(and(eq(memberships.tenantId, tenant), eq(memberships.userId, user)))
        .returning({ id: memberships.id });
      if (gone.length === 0) throw new NotFoundError("Member", user);
      const taken = await tx
        .delete(roleAssignments)
        .where(and(eq(roleAssignments.tenantId, tenant), eq(roleAssignments.userId, user)))
        .returning({ role: roleAssignments.role });
      await tx
        .delete(sessions)
        .where(and(eq(sessions.tenantId, tenant), eq(sessions.userId, user)));
      const lost = taken.map(({ role }) => role);
      await this.#record(tx, "member.remove", tenant, by, { userId: user, roles: lost });
    });
    this.#o.onChanged?.(user);
  }

  /** list returns a page of tenants, the oldest first, and how many there are. */
  async list(
    query: PageQuery,
  ): Promise<{ readonly rows: readonly TenantView[]; readonly total: number }> {
    return this.#o.database.run(async (orm) => {
      const [counted] = await orm.select({ total: count() }).from(tenants);
      const rows = await orm
        .select()
        .from(tenants)
        .orderBy(asc(tenants.createdAt), asc(tenants.id))
        .limit(query.limit)
        .offset((query.page - 1) * query.limit);
      return { rows: rows.map(toView), total: counted?.total ?? 0 };
    });
  }

  /** members returns a page of a tenant's members, the oldest first, and how many there are. Throws a NotFoundError only if there is none. */
  async members(
    tenantId: string,
    query: PageQuery,
  ): Promise<{ readonly rows: readonly MemberView[]; readonly total: number }> {
    const id = checkId(tenantId, "Tenant");
    return this.#o.database.run(async (orm) => {
      const [tenant] = await orm
        .select({ total: count(memberships.id) })
        .from(tenants)
        .leftJoin(memberships, eq(memberships.tenantId, tenants.id))
        .where(eq(tenants.id, id))
        .groupBy(tenants.id);
      if (tenant === undefined) throw missing(id);
      const rows = await membersOf(orm, id)
        .limit(query.limit)
        .offset((query.page - 1) * query.limit);
      const view = rows.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() }));
      return { rows: view, total: tenant.total };
    });
  }

  /** tenantsOf lists the tenants that a user belongs to, the oldest membership first. */
  async tenantsOf(userId: string): Promise<readonly TenantView[]> {
    const id = checkId(userId, "User");
    const rows = await this.#o.database.run((orm) =>
      orm
        .select({ tenant: tenants })
        .from(memberships)
        .innerJoin(tenants, eq(tenants.id, memberships.tenantId))
        .where(eq(memberships.userId, id))
        .orderBy(asc(memberships.createdAt), asc(memberships.id)),
    );
    return rows.map(({ tenant }) => toView(tenant));
  }

  #record(
    tx: OrmTransaction,
    what: string,
    tenantId: string,
    by: By,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return this.#o.audit.record(
      {
        type: `access.tenant.${what}`,
        severity: "high",
        result: "success",
        resource: `tenant:${tenantId}`,
        action: what.split(".").at(-1),
        metadata,
      },
      contextOf(by),
      tx,
    );
  }
}

const membersOf = (orm: Orm, tenantId: string) =>
  orm
    .select({
      userId: users.id,
      email: users.email,
      name: users.name,
      createdAt: memberships.createdAt,
    })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(eq(memberships.tenantId, tenantId))
    .orderBy(asc(memberships.createdAt), asc(memberships.id))
    .$dynamic();

const toView = (row: typeof tenants.$inferSelect): TenantView => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
});

const missing = (id: string): NotFoundError => new NotFoundError("Tenant", id);
