import { randomBytes } from "node:crypto";
import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, or, type SQL, sql } from "drizzle-orm";
import {
  type Clock,
  isUuid,
  type ProvedFactor,
  parseDuration,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import { sha256 } from "../../crypto/index.ts";
import {
  type Database,
  memberships,
  type Orm,
  readUserAccess,
  sessions,
  signingKeys,
  type UserAccess,
  userAccess,
  users,
} from "../../database/index.ts";
import { provedSecondFactor } from "./proved-factors.ts";
import type { Session, SessionMode } from "./session.ts";
import { SessionCache } from "./session-cache.ts";

export interface SessionStoreOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
  /** Longest life of a session, however much it is used. Default 12h. */
  readonly absoluteTimeout?: string | undefined;
  /** Longest time between two requests of a session. Default 1h. */
  readonly idleTimeout?: string | undefined;
  /** Sessions of one user at once; a further one ends the oldest. Default 20. */
  readonly maxPerUser?: number | undefined;
  /** Roles that a session holds only after a second factor. Default none. */
  readonly rolesThatNeedMfa?: readonly string[] | undefined;
  /** Reads with each session which signing keys are there, so that a removed one is worth nothing at the next request. Default false. */
  readonly withSigningKeys?: boolean | undefined;
  /** Hears that what accounts may do was changed, so that others forget what they know of it. */
  readonly onForget?: (() => void) | undefined;
}

export interface NewSession {
  readonly id: string;
  readonly mode: SessionMode;
  /** What a cookie carries; only its hash is stored. Undefined for tokens, which name the id. */
  readonly secret: string | undefined;
  readonly expiresAt: number;
}

/** SessionView is a session as its owner and an administrator may see it. */
export interface SessionView {
  readonly id: string;
  readonly userId: string;
  readonly mode: SessionMode;
  readonly address: string | null;
  readonly agent: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  /** When it ends at the latest. */
  readonly expiresAt: string;
  /** When it ends if it is not used. */
  readonly idleExpiresAt: string;
}

const TOUCH_MS = 60_000;

/**
 * SessionStore keeps sessions in the database, and is asked on every request; the reads of one tick are one statement. Where
 * this process is the only one that can change them it answers from memory, and forgets what it writes.
 */
export class SessionStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #absoluteMs: number;
  readonly #idleMs: number;
  readonly #touchMs: number;
  readonly #maxPerUser: number;
  readonly #guardedRoles: ReadonlySet<string>;
  readonly #withSigningKeys: boolean;
  readonly #onForget: (() => void) | undefined;
  readonly #cache = new SessionCache();
  #batch: Map<string, ((session: Promise<Session | undefined>) => void)[]> | undefined;

  constructor(options: SessionStoreOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
    this.#absoluteMs = parseDuration(options.absoluteTimeout ?? "12h", "absoluteTimeout");
    this.#idleMs = parseDuration(options.idleTimeout ?? "1h", "idleTimeout");
    this.#touchMs = Math.min(TOUCH_MS, this.#idleMs / 10);
    this.#maxPerUser = options.maxPerUser ?? 20;
    this.#guardedRoles = new Set(options.rolesThatNeedMfa);
    this.#withSigningKeys = options.withSigningKeys === true;
    this.#onForget = options.onForget;
  }

  /** create begins a session in the caller's transaction, and ends the user's oldest ones beyond the cap. */
  async create(
    tx: Orm,
    session: {
      readonly userId: string;
      readonly mode: SessionMode;
      readonly methods: readonly ProvedFactor[];
      readonly address?: string | undefined;
      readonly agent?: string | undefined;
      /** The tenant to act in; null for none. Default: the first that the user became a member of. */
      readonly tenantId?: string | null | undefined;
      /** When it ends at the latest; default: the absolute time-out from now. */
      readonly expiresAt?: number | undefined;
    },
  ): Promise<NewSession> {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const secret = session.mode === "cookie" ? randomBytes(32).toString("base64url") : undefined;
    const expiresAt = session.expiresAt ?? now + this.#absoluteMs;
    await tx.insert(sessions).values({
      id,
      userId: session.userId,
      mode: session.mode,
      secretHash: secret === undefined ? null : sha256(secret),
      tenantId:
        session.tenantId === undefined ? await firstTenant(tx, session.userId) : session.tenantId,
      methods: [...session.methods],
      address: session.address ?? null,
      agent: agentText(session.agent),
      createdAt: new Date(now),
      lastSeenAt: new Date(now),
      expiresAt: new Date(expiresAt),
    });
    await this.#endOldest(tx, session.userId);
    return { id, mode: session.mode, secret, expiresAt };
  }

  async #endOldest(tx: Orm, userId: string): Promise<void> {
    const kept = tx
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), this.#isLive()))
      .orderBy(desc(sessions.createdAt), desc(sessions.id))
      .limit(this.#maxPerUser);
    const ended = await tx
      .delete(sessions)
      .where(and(eq(sessions.userId, userId), sql`${sessions.id} NOT IN (${kept})`))
      .returning({ id: sessions.id });
    if (ended.length > 0) this.#cache.forget((session) => session.userId === userId);
  }

  /**
   * read returns the live session that a token names, or undefined; without a promise where the answer is in memory.
   * Rejects where the store cannot say.
   */
  read(sessionId: string): Session | undefined | Promise<Session | undefined> {
    return isUuid(sessionId) ? this.#read(sessionId, "token") : undefined;
  }

  /** readCookie returns the live session of a cookie's secret, like read. */
  readCookie(secret: string): Session | undefined | Promise<Session | undefined> {
    return this.#read(sha256(secret).toString("hex"), "cookie");
  }

  #read(key: string, mode: SessionMode): Session | undefined | Promise<Session | undefined> {
    const known = this.#cache.get(key);
    if (known !== undefined && !isOver(known.rolesUntil, this.#clock.now()))
      return known.mode === mode ? this.#live(known, key) : undefined;
    return this.#load(key).then((session) =>
      session?.mode === mode ? this.#live(session, key) : undefined,
    );
  }

  /** A session that is over is none; one that goes on is marked as seen, now and then. */
  #live(session: Session, key: string): Session | undefined {
    const now = this.#clock.now();
    if (session.expiresAt <= now || session.lastSeenAt + this.#idleMs <= now) {
      this.#cache.delete(key);
      return undefined;
    }
    if (now - session.lastSeenAt < this.#touchMs) return session;
    const seen: Session = { ...session, lastSeenAt: now };
    this.#cache.replace(key, session, seen);
    // That it was used is worth a write a minute and no request's time; what is lost only ends a session earlier.
    this.#database
      .run((orm) =>
        orm
          .update(sessions)
          .set({ lastSeenAt: new Date(now) })
          .where(and(eq(sessions.id, session.id), lt(sessions.lastSeenAt, new Date(now)))),
      )
      .catch(() => {});
    return seen;
  }

  /** Reads that come before the next turn of the event loop share one statement. */
  #load(key: string): Promise<Session | undefined> {
    return new Promise((resolve) => {
      if (this.#batch === undefined) {
        this.#batch = new Map();
        setImmediate(() => this.#flush());
      }
      const waiting = this.#batch.get(key);
      if (waiting === undefined) this.#batch.set(key, [resolve]);
      else waiting.push(resolve);
    });
  }

  #flush(): void {
    const batch = this.#batch ?? new Map();
    this.#batch = undefined;
    const found = this.#select([...batch.keys()]);
    for (const [key, waiting] of batch) {
      const session = found.then((byKey) => byKey.get(key));
      for (const resolve of waiting) resolve(session);
    }
  }

  async #select(keys: readonly string[]): Promise<ReadonlyMap<string, Session>> {
    const epoch = this.#cache.epoch;
    const ids = keys.filter((key) => key.includes("-"));
    const hashes = keys.filter((key) => !key.includes("-")).map((key) => Buffer.from(key, "hex"));
    const withKeys = this.#withSigningKeys && !this.#database.exclusive;
    const rows = await this.#database.run((orm) =>
      orm
        .select({
          session: sessions,
          user: users,
          access: userAccess(sessions.tenantId, new Date(this.#clock.now())),
          ...(withKeys ? { keys: goodKeys(new Date(this.#clock.now())) } : {}),
        })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(
          or(
            ids.length > 0 ? inArray(sessions.id, ids) : undefined,
            hashes.length > 0 ? inArray(sessions.secretHash, hashes) : undefined,
          ),
        ),
    );
    const found = new Map<string, Session>();
    for (const { session, user, access: read, keys } of rows) {
      const methods = session.methods as readonly ProvedFactor[];
      const isProved = this.#guardedRoles.size === 0 || provedSecondFactor(methods);
      const access = readUserAccess(
        user.roles,
        read,
        (role) => isProved || !this.#guardedRoles.has(role),
      );
      // A session in a tenant that its user has left opens nothing.
      if (user.disabledAt !== null || access === undefined) continue;
      const { secretHash } = session;
      const key = secretHash === null ? session.id : Buffer.from(secretHash).toString("hex");
      found.set(key, this.#sessionOf(session, user, access, keys));
    }
    if (this.#database.exclusive) this.#cache.keep(found, epoch);
    return found;
  }

  #sessionOf(
    row: typeof sessions.$inferSelect,
    user: typeof users.$inferSelect,
    access: UserAccess,
    signingKeys: readonly string[] | undefined,
  ): Session {
    return {
      id: row.id,
      mode: row.mode,
      userId: user.id,
      email: user.email,
      name: user.name,
      tenantId: row.tenantId ?? undefined,
      roles: access.roles,
      permissions: access.permissions,
      rolesUntil: access.until,
      signingKeys,
      methods: row.methods as readonly ProvedFactor[],
      createdAt: row.createdAt.getTime(),
      lastSeenAt: row.lastSeenAt.getTime(),
      expiresAt: row.expiresAt.getTime(),
    };
  }

  /** list returns the live sessions of a user, the newest first. */
  async list(userId: string): Promise<readonly SessionView[]> {
    const rows = await this.#database.run((orm) =>
      orm
        .select()
        .from(sessions)
        .where(and(eq(sessions.userId, userId), this.#isLive()))
        .orderBy(desc(sessions.createdAt), asc(sessions.id)),
    );
    return rows.map((row) => this.view(row));
  }

  view(row: typeof sessions.$inferSelect): SessionView {
    return {
      id: row.id,
      userId: row.userId,
      mode: row.mode,
      address: row.address,
      agent: row.agent,
      createdAt: row.createdAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
      idleExpiresAt: new Date(
        Math.min(row.lastSeenAt.getTime() + this.#idleMs, row.expiresAt.getTime()),
      ).toISOString(),
    };
  }

  /** revoke ends a session, in the caller's transaction where one is given; true where it was there. */
  async revoke(sessionId: string, tx?: Orm): Promise<boolean> {
    const ended = await this.#end(eq(sessions.id, sessionId), tx, ({ id }) => id === sessionId);
    return ended > 0;
  }

  /** revokeAll ends the sessions of a user, but for one where one is named, and returns how many. */
  async revokeAll(
    userId: string,
    options: { readonly except?: string | undefined } = {},
    tx?: Orm,
  ): Promise<number> {
    const { except } = options;
    const ended = await this.#end(
      and(eq(sessions.userId, userId), except === undefined ? undefined : ne(sessions.id, except)),
      tx,
      (session) => session.userId === userId && session.id !== except,
    );
    this.#onForget?.();
    return ended;
  }

  async #end(
    which: SQL | undefined,
    tx: Orm | undefined,
    matches: (session: Session) => boolean,
  ): Promise<number> {
    this.#cache.forget(matches);
    const remove = (orm: Orm) => orm.delete(sessions).where(which).returning({ id: sessions.id });
    const rows = tx === undefined ? await this.#database.run(remove) : await remove(tx);
    this.#cache.forget(matches);
    return rows.length;
  }

  /** forget drops what memory knows of the sessions that match; to be called after a transaction that changed them. */
  forget(matches: (session: Session) => boolean): void {
    this.#cache.forget(matches);
    this.#onForget?.();
  }

  /** sweep deletes the rows of sessions that are over, and returns how many. */
  async sweep(): Promise<number> {
    const rows = await this.#database.run((orm) =>
      orm.delete(sessions).where(sql`NOT ${this.#isLive()}`).returning({ id: sessions.id }),
    );
    return rows.length;
  }

  #isLive(): SQL {
    const now = this.#clock.now();
    return sql`(${gt(sessions.expiresAt, new Date(now))} AND ${gt(sessions.lastSeenAt, new Date(now - this.#idleMs))})`;
  }
}

const isOver = (until: number | undefined, now: number): boolean =>
  until !== undefined && until <= now;

async function firstTenant(tx: Orm, userId: string): Promise<string | null> {
  const [first] = await tx
    .select({ tenantId: memberships.tenantId })
    .from(memberships)
    .where(eq(memberships.userId, userId))
    .orderBy(asc(memberships.createdAt), asc(memberships.id))
    .limit(1);
  return first?.tenantId ?? null;
}

const goodKeys = (now: Date): SQL<readonly string[]> =>
  sql`(SELECT coalesce(array_agg(${signingKeys.id}), '{}') FROM ${signingKeys}
    WHERE ${or(isNull(signingKeys.retiresAt), gt(signingKeys.retiresAt, now))})`;

/** agentText is a User-Agent as it is stored: bounded, and what PostgreSQL's text can hold. */
export const agentText = (agent: string | undefined): string | null =>
  agent?.slice(0, 512).toWellFormed().replaceAll("\0", "") ?? null;
