import { and, asc, eq, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  type EventContext,
  isUuid,
  NotFoundError,
  systemClock,
  UnauthorizedError,
  uuidv7,
} from "../../core/index.ts";
import {
  type Database,
  identities,
  isUniqueViolation,
  type Orm,
  passkeys,
  sessions,
  users,
} from "../../database/index.ts";

/**
 * ProviderIdentity names a person at a provider: the pair of issuer and subject alone (OIDC Core section 5.7).
 * @public
 */
export interface ProviderIdentity {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
}

/**
 * LinkedIdentity is what its owner sees of an identity.
 * @public
 */
export interface LinkedIdentity {
  readonly id: string;
  readonly provider: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

/** @public */
export interface IdentitiesOptions {
  readonly database: Database;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /**
   * Does what follows in the same transaction, such as a mail to the owner. It must ask the database through `tx` alone: the embedded one
   * has a single connection, which the transaction holds. Default nothing.
   */
  readonly onChange?:
    | ((tx: Orm, userId: string, change: IdentityChange, context: EventContext) => Promise<void>)
    | undefined;
}

/**
 * IdentityChange is what happened to an identity, and whose it is.
 * @public
 */
export interface IdentityChange {
  readonly what: "linked" | "unlinked";
  readonly provider: string;
  readonly owner: { readonly email: string; readonly name: string };
}

type UserRow = typeof users.$inferSelect;

/**
 * Identities knows which accounts at providers sign which user in. No e-mail address ever takes part.
 * @public
 */
export class Identities {
  readonly #o: IdentitiesOptions;
  readonly #clock: Clock;

  constructor(options: IdentitiesOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** findUser returns the user whom an identity signs in, and notes that it was used. */
  async findUser({ issuer, subject }: ProviderIdentity): Promise<UserRow | undefined> {
    const lastUsedAt = new Date(this.#clock.now());
    return this.#o.database.run(async (orm) => {
      const [used] = await orm
        .update(identities)
        .set({ lastUsedAt })
        .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)))
        .returning({ userId: identities.userId });
      if (used === undefined) return undefined;
      const [user] = await orm.select().from(users).where(eq(users.id, used.userId));
      return user;
    });
  }

  /** insert gives an identity to a user who is being made. Throws a unique violation of the database where it has an owner. */
  async insert(tx: Orm, userId: string, identity: ProviderIdentity): Promise<void> {
    const now = new Date(this.#clock.now());
    const { provider, issuer, subject } = identity;
    await tx.insert(identities).values({
      id: uuidv7(now.getTime()),
      userId,
      provider,
      issuer,
      subject,
      createdAt: now,
      lastUsedAt: now,
    });
  }

  /**
   * link gives an identity to a user, while the session that asked for it stands. Throws only a ConflictError (it is linked already,
   * to whomever) and an UnauthorizedError (the session has ended).
   */
  async link(
    asked: { readonly userId: string; readonly sessionId: string },
    identity: ProviderIdentity,
    context: EventContext,
  ): Promise<void> {
    const { userId, sessionId } = asked;
    const { provider, issuer, subject } = identity;
    const now = new Date(this.#clock.now());
    const at = sql`${now.toISOString()}::timestamptz`;
    const id = uuidv7(now.getTime());
    try {
      await this.#o.database.transaction(async (tx) => {
        const { rows } = (await tx.execute(sql`
          INSERT INTO ${identities} (id, user_id, provider, issuer, subject, created_at)
          SELECT ${id}::uuid, ${users.id}, ${provider}, ${issuer}, ${subject}, ${at}
          FROM ${sessions} JOIN ${users} ON ${users.id} = ${sessions.userId}
          WHERE ${sessions.id} = ${sessionId} AND ${users.id} = ${userId}
            AND ${sessions.expiresAt} > ${at} AND ${users.disabledAt} IS NULL
          FOR KEY SHARE
          RETURNING id`)) as unknown as { readonly rows: readonly unknown[] };
        if (rows.length === 0) throw new UnauthorizedError("The session has ended.");
        await this.#changed(tx, userId, "linked", provider, context);
      });
    } catch (error) {
      if (!isUniqueViolation(error, "identities_issuer_subject_key")) throw error;
      throw new ConflictError("This identity is linked to an account already.");
    }
  }

  /** list returns the identities of a user, the oldest first. */
  async list(userId: string): Promise<readonly LinkedIdentity[]> {
    const rows = await this.#o.database.run((orm) =>
      orm
        .select()
        .from(identities)
        .where(eq(identities.userId, userId))
        .orderBy(asc(identities.createdAt), asc(identities.id)),
    );
    return rows.map(({ id, provider, createdAt, lastUsedAt }) => ({
      id,
      provider,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    }));
  }

  /**
   * unlink takes an identity from a user. Throws only a NotFoundError (the user has no such identity) and a ConflictError (it is the last
   * way into the account: there is no password, no passkey and no other identity).
   */
  async unlink(userId: string, id: string, context: EventContext): Promise<void> {
    if (!isUuid(id)) throw new NotFoundError("Identity", id);
    await this.#o.database.transaction(async (tx) => {
      // One at a time for a user: each of two would see the other identity still there.
      await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for("update");
      const isOwn = and(eq(identities.id, id), eq(identities.userId, userId));
      const [removed] = await tx
        .delete(identities)
        .where(
          and(
            isOwn,
            sql`(EXISTS (SELECT 1 FROM ${users} u WHERE u.id = ${userId} AND u.password_hash IS NOT NULL)
              OR EXISTS (SELECT 1 FROM ${passkeys} p WHERE p.user_id = ${userId})
              OR EXISTS (SELECT 1 FROM ${identities} i WHERE i.user_id = ${userId} AND i.id <> ${id}))`,
          ),
        )
        .returning({ provider: identities.provider });
      if (removed !== undefined) {
        await this.#changed(tx, userId, "unlinked", removed.provider, context);
        return;
      }
      const [kept] = await tx.select({ id: identities.id }).from(identities).where(isOwn);
      if (kept === undefined) throw new NotFoundError("Identity", id);
      throw new ConflictError(
        "This is the last way to sign in. Set a password or a passkey first.",
      );
    });
  }

  async #changed(
    tx: Orm,
    userId: string,
    what: "linked" | "unlinked",
    provider: string,
    context: EventContext,
  ): Promise<void> {
    await this.#o.audit.record(
      {
        type: `auth.identity.${what}`,
        severity: "medium",
        result: "success",
        resource: `user:${userId}`,
        action: what === "linked" ? "link" : "unlink",
        metadata: { provider },
      },
      { ...context, userId },
      tx,
    );
    const { onChange } = this.#o;
    if (onChange === undefined) return;
    const [owner] = await tx
      .select({ email: users.email, name: users.name })
      .from(users)
      .where(eq(users.id, userId));
    if (owner !== undefined) await onChange(tx, userId, { what, provider, owner }, context);
  }
}
