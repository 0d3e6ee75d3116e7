import { and, count, eq, ilike, isNull, lte, ne, or, type SQL, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type EventContext,
  ForbiddenError,
  isUuid,
  NotFoundError,
  parseDuration,
  systemClock,
  type UserPrincipal,
  uuidv7,
} from "../../core/index.ts";
import {
  accountGuards,
  type Database,
  factorResets,
  type Orm,
  passkeys,
  sessions,
  totpCredentials,
  users,
} from "../../database/index.ts";
import type { SessionStore, SessionView } from "../sessions/index.ts";
import type { AccountCredentials } from "./account-credentials.ts";
import type { AccountGuard } from "./account-guard.ts";
import type { AccountMailer } from "./account-mail.ts";
import { lockById, type UserRow } from "./users.ts";

export interface AccountAdminOptions {
  readonly database: Database;
  readonly sessions: SessionStore;
  readonly credentials: AccountCredentials;
  readonly guard: AccountGuard;
  readonly mailer: AccountMailer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
}

/** AccountView is an account as an administrator sees it: its state, and which credentials it has, never what they are. */
export interface AccountView {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly createdAt: string;
  readonly emailVerifiedAt: string | null;
  readonly disabledAt: string | null;
  readonly lockedAt: string | null;
  readonly passwordLockedUntil: string | null;
  readonly deleteAt: string | null;
  readonly hasPassword: boolean;
  readonly totp: boolean;
  readonly passkeys: number;
  readonly sessions: number;
  readonly factorResetAt: string | null;
}

export interface AccountQuery {
  readonly page: number;
  readonly limit: number;
  readonly search?: string | undefined;
  readonly role?: string | undefined;
}

/** How long an administrator's reset of second factors waits for a second administrator. */
const RESET_DELAY = "24h";

/** AccountAdmin is what administrators do to accounts of others. Whatever takes access away takes it from the next request on. */
export class AccountAdmin {
  readonly #o: AccountAdminOptions;
  readonly #clock: Clock;

  constructor(options: AccountAdminOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** list returns a page of accounts, the newest first, and how many there are. `search` is literal text of address or name. */
  async list(
    query: AccountQuery,
  ): Promise<{ readonly rows: readonly AccountView[]; readonly total: number }> {
    const where = whereOf(query);
    return this.#o.database.run(async (orm) => {
      const [counted] = await orm.select({ total: count() }).from(users).where(where);
      const rows = await viewOf(orm)
        .where(where)
        .orderBy(sql`${users.createdAt} DESC, ${users.id} DESC`)
        .limit(query.limit)
        .offset((query.page - 1) * query.limit);
      return { rows: rows.map(toView), total: counted?.total ?? 0 };
    });
  }

  /** get returns one account. Throws a NotFoundError only if there is none. */
  async get(userId: string): Promise<AccountView> {
    const [row] = isUuid(userId)
      ? await this.#o.database.run((orm) => viewOf(orm).where(eq(users.id, userId)))
      : [];
    if (row === undefined) throw new NotFoundError("User", userId);
    return toView(row);
  }

  /** sessions lists the live sessions of everyone, or of one user, the newest first. */
  async sessions(query: {
    readonly page: number;
    readonly limit: number;
    readonly userId?: string | undefined;
  }): Promise<{ readonly rows: readonly SessionView[]; readonly total: number }> {
    const where = query.userId === undefined ? undefined : eq(sessions.userId, query.userId);
    return this.#o.database.run(async (orm) => {
      const [counted] = await orm.select({ total: count() }).from(sessions).where(where);
      const rows = await orm
        .select()
        .from(sessions)
        .where(where)
        .orderBy(sql`${sessions.createdAt} DESC, ${sessions.id} DESC`)
        .limit(query.limit)
        .offset((query.page - 1) * query.limit);
      const view = rows.map((row) => this.#o.sessions.view(row));
      return { rows: view, total: counted?.total ?? 0 };
    });
  }

  /** lock shuts an account until unlock, and ends its sessions. */
  lock(userId: string, context: EventContext): Promise<AccountView> {
    return this.#change(userId, "locked", context, async (tx) => {
      await this.#notTheLastAdmin(tx, userId);
      await this.#o.guard.lock(tx, userId);
      await this.#o.credentials.endAccess(tx, userId);
    });
  }

  /** unlock ends every lock of an account, those that failures brought included. */
  unlock(userId: string, context: EventContext): Promise<AccountView> {
    return this.#change(userId, "unlocked", context, (tx) => this.#o.guard.unlock(tx, userId));
  }

  /** disable ends an account's sessions and keys, until enable. */
  disable(userId: string, context: EventContext): Promise<AccountView> {
    return this.#change(userId, "disabled", context, async (tx) => {
      await this.#notTheLastAdmin(tx, userId);
      await tx
        .update(users)
        .set({ disabledAt: new Date(this.#clock.now()) })
        .where(and(eq(users.id, userId), isNull(users.disabledAt)));
      await this.#o.credentials.endAccess(tx, userId);
    });
  }

  enable(userId: string, context: EventContext): Promise<AccountView> {
    return this.#change(userId, "enabled", context, async (tx) => {
      await tx.update(users).set({ disabledAt: null }).where(eq(users.id, userId));
    });
  }

  /** revokeSessions ends all sessions of an account, and what was half way to one. */
  revokeSessions(userId: string, context: EventContext): Promise<AccountView> {
    return this.#change(userId, "sessions-revoked", context, (tx) =>
      this.#o.credentials.endAccess(tx, userId),
    );
  }

  /** setRoles gives an account its roles, and ends its sessions. */
  setRoles(userId: string, roles: readonly string[], context: EventContext): Promise<AccountView> {
    return this.#change(
      userId,
      "roles-changed",
      context,
      async (tx) => {
        if (!roles.includes("admin")) await this.#notTheLastAdmin(tx, userId);
        await tx
          .update(users)
          .set({ roles: [...roles], updatedAt: new Date(this.#clock.now()) })
          .where(eq(users.id, userId));
        await this.#o.credentials.endAccess(tx, userId);
      },
      { roles },
    );
  }

  /**
   * resetMfa removes someone's second factors: at once where a second administrator asks for the same, and else a day after the
   * first one did. The owner is told by mail, and the sessions end. Resolves to whether it is done.
   */
  async resetMfa(
    userId: string,
    admin: UserPrincipal,
    context: EventContext,
  ): Promise<{ readonly done: boolean; readonly effectiveAt: string }> {
    if (userId === admin.userId) {
      throw new ForbiddenError("Another administrator resets your second factors.");
    }
    const now = this.#clock.now();
    let done = false;
    let effectiveAt = now;
    await this.#change(userId, "mfa-reset", context, async (tx, user) => {
      const wanted = {
        id: uuidv7(now),
        userId,
        requestedBy: admin.userId,
        createdAt: new Date(now),
        effectiveAt: new Date(now + parseDuration(RESET_DELAY)),
      };
      await tx.insert(factorResets).values(wanted).onConflictDoNothing();
      const asked = or(
        ne(factorResets.requestedBy, admin.userId),
        lte(factorResets.effectiveAt, new Date(now)),
      );
      const due = await tx
        .delete(factorResets)
        .where(and(eq(factorResets.userId, userId), asked))
        .returning();
      done = due.length > 0;
      if (done) await this.#dropFactors(tx, user);
      else {
        const [pending] = await tx
          .select()
          .from(factorResets)
          .where(eq(factorResets.userId, userId));
        effectiveAt = (pending ?? wanted).effectiveAt.getTime();
        await this.#mailReset(tx, user, effectiveAt);
      }
      await this.#o.credentials.endAccess(tx, userId);
    });
    return { done, effectiveAt: new Date(effectiveAt).toISOString() };
  }

  /** applyDueResets removes the second factors whose reset has waited long enough, and returns of how many accounts. */
  async applyDueResets(): Promise<number> {
    const now = new Date(this.#clock.now());
    const done = await this.#o.database.transaction(async (tx) => {
      const due = await tx
        .delete(factorResets)
        .where(lte(factorResets.effectiveAt, now))
        .returning({ userId: factorResets.userId });
      for (const { userId } of due) {
        const user = await lockById(tx, userId);
        if (user === undefined) continue;
        await this.#dropFactors(tx, user);
        await this.#o.credentials.endAccess(tx, userId);
        await this.#record(tx, userId, "mfa-reset", {}, { delayed: true });
      }
      return due;
    });
    for (const { userId } of done) this.#o.credentials.forget(userId);
    return done.length;
  }

  /** purge deletes the accounts whose grace period is over, and returns how many. */
  async purge(): Promise<number> {
    const now = new Date(this.#clock.now());
    const gone = await this.#o.database.transaction(async (tx) => {
      const rows = await tx
        .delete(users)
        .where(lte(users.deleteAt, now))
        .returning({ id: users.id });
      for (const { id } of rows) await this.#record(tx, id, "deleted", {}, {});
      return rows;
    });
    for (const { id } of gone) this.#o.credentials.forget(id);
    return gone.length;
  }

  async #dropFactors(tx: Orm, user: UserRow): Promise<void> {
    await this.#o.credentials.dropFactors(tx, user.id);
    await this.#mailReset(tx, user, this.#clock.now());
  }

  async #mailReset(tx: Orm, { email, name }: UserRow, effectiveAt: number): Promise<void> {
    await this.#o.mailer.send({ kind: "factors-reset", to: email, name, effectiveAt }, tx);
  }

  /** Without an administrator nobody could undo what was done. */
  async #notTheLastAdmin(tx: Orm, userId: string): Promise<void> {
    const enabled = and(sql`'admin' = ANY (${users.roles})`, isNull(users.disabledAt));
    await tx.select({ id: users.id }).from(users).where(enabled).orderBy(users.id).for("update");
    // A statement of its own, so that it sees the locks that were given while the rows above were waited for.
    const admins = await tx
      .select({ id: users.id })
      .from(users)
      .leftJoin(accountGuards, eq(accountGuards.userId, users.id))
      .where(and(enabled, isNull(accountGuards.lockedAt)));
    if (admins.length === 1 && admins[0]?.id === userId) {
      throw new ConflictError("This is the last administrator.");
    }
  }

  /** Locks the account together with the administrators', in one order for all: two who act on each other must not wait for each other. */
  async #lock(tx: Orm, userId: string): Promise<UserRow | undefined> {
    const rows = await tx
      .select()
      .from(users)
      .where(or(eq(users.id, userId), sql`'admin' = ANY (${users.roles})`))
      .orderBy(users.id)
      .for("update");
    return rows.find(({ id }) => id === userId);
  }

  async #change(
    userId: string,
    what: string,
    context: EventContext,
    work: (tx: Orm, user: UserRow) => Promise<void>,
    metadata: Readonly<Record<string, unknown>> = {},
  ): Promise<AccountView> {
    if (!isUuid(userId)) throw new NotFoundError("User", userId);
    await this.#o.database.transaction(async (tx) => {
      const user = await this.#lock(tx, userId);
      if (user === undefined) throw new NotFoundError("User", userId);
      await work(tx, user);
      await this.#record(tx, userId, what, context, metadata);
    });
    this.#o.credentials.forget(userId);
    return this.get(userId);
  }

  async #record(
    tx: Orm,
    userId: string,
    what: string,
    context: EventContext,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.#o.audit.record(
      {
        type: `auth.account.${what}`,
        severity: "high",
        result: "success",
        resource: `user:${userId}`,
        action: what,
        metadata,
      },
      context,
      tx,
    );
  }
}

function whereOf({ search, role }: AccountQuery): SQL | undefined {
  const text = search === undefined ? undefined : `%${search.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return and(
    text === undefined ? undefined : or(ilike(users.email, text), ilike(users.name, text)),
    role === undefined ? undefined : sql`${role} = ANY (${users.roles})`,
  );
}

const viewOf = (orm: Orm) =>
  orm
    .select({
      user: users,
      lockedAt: accountGuards.lockedAt,
      passwordLockedUntil: accountGuards.passwordLockedUntil,
      totpAt: totpCredentials.confirmedAt,
      factorResetAt: factorResets.effectiveAt,
      passkeys: sql<number>`(SELECT count(*)::int FROM ${passkeys} WHERE ${passkeys.userId} = ${users.id})`,
      sessions: sql<number>`(SELECT count(*)::int FROM ${sessions} WHERE ${sessions.userId} = ${users.id})`,
    })
    .from(users)
    .leftJoin(accountGuards, eq(accountGuards.userId, users.id))
    .leftJoin(totpCredentials, eq(totpCredentials.userId, users.id))
    .leftJoin(factorResets, eq(factorResets.userId, users.id))
    .$dynamic();

type Row = Awaited<ReturnType<typeof viewOf>>[number];

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

const toView = ({ user, ...row }: Row): AccountView => ({
  id: user.id,
  email: user.email,
  name: user.name,
  roles: user.roles,
  createdAt: user.createdAt.toISOString(),
  emailVerifiedAt: iso(user.emailVerifiedAt),
  disabledAt: iso(user.disabledAt),
  lockedAt: iso(row.lockedAt),
  passwordLockedUntil: iso(row.passwordLockedUntil),
  deleteAt: iso(user.deleteAt),
  hasPassword: user.passwordHash !== null,
  totp: row.totpAt !== null,
  passkeys: row.passkeys,
  sessions: row.sessions,
  factorResetAt: iso(row.factorResetAt),
});
