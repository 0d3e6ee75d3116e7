import { randomBytes } from "node:crypto";
import { and, eq, gt } from "drizzle-orm";
import {
  type Clock,
  type ProvedFactor,
  parseDuration,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import { sha256 } from "../../crypto/index.ts";
import { type Database, type Orm, sessions, users } from "../../database/index.ts";

export interface SessionStoreOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
  /** Longest life of a session, however much it is used. Default 12h. */
  readonly absoluteTimeout?: string | undefined;
}

/** Session is what the store knows of a signed-in user now: what a role change wrote is what the next read says. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly methods: readonly ProvedFactor[];
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface NewSession {
  readonly id: string;
  /** The random text that the session's tokens carry. Only its hash is stored. */
  readonly handle: string;
  readonly expiresAt: number;
}

const MAX_CACHED = 50_000;

/**
 * SessionStore keeps sessions in the database, and is asked on every request. Where this process is the only one that can
 * change them it answers from memory, and forgets what it writes.
 */
export class SessionStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #absoluteMs: number;
  readonly #cache = new Map<string, Session>();
  /** Rises with every eviction, so that a read which began before one does not put back what it evicted. */
  #epoch = 0;

  constructor(options: SessionStoreOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
    this.#absoluteMs = parseDuration(options.absoluteTimeout ?? "12h", "absoluteTimeout");
  }

  /** create begins a session in the caller's transaction. */
  async create(
    tx: Orm,
    session: {
      readonly userId: string;
      readonly methods: readonly ProvedFactor[];
      readonly address?: string | undefined;
      readonly agent?: string | undefined;
    },
  ): Promise<NewSession> {
    const now = this.#clock.now();
    const id = uuidv7(now);
    const handle = randomBytes(32).toString("base64url");
    const expiresAt = now + this.#absoluteMs;
    await tx.insert(sessions).values({
      id,
      userId: session.userId,
      handleHash: sha256(handle),
      mode: "token",
      methods: [...session.methods],
      address: session.address ?? null,
      agent: session.agent?.slice(0, 512).toWellFormed().replaceAll("\0", "") ?? null,
      createdAt: new Date(now),
      lastSeenAt: new Date(now),
      expiresAt: new Date(expiresAt),
    });
    return { id, handle, expiresAt };
  }

  /**
   * read returns the live session of a handle, or undefined; without a promise where the answer is in memory.
   * Rejects where the store cannot say.
   */
  read(handle: string): Session | undefined | Promise<Session | undefined> {
    const known = this.#cache.get(handle);
    if (known === undefined) return this.#load(handle);
    if (known.expiresAt > this.#clock.now()) return known;
    this.#cache.delete(handle);
    return undefined;
  }

  async #load(handle: string): Promise<Session | undefined> {
    const epoch = this.#epoch;
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .select({ session: sessions, user: users })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(eq(sessions.handleHash, sha256(handle)), gt(sessions.expiresAt, now))),
    );
    if (row === undefined || row.user.disabledAt !== null) return undefined;
    const session: Session = {
      id: row.session.id,
      userId: row.user.id,
      email: row.user.email,
      name: row.user.name,
      roles: row.user.roles,
      methods: row.session.methods as readonly ProvedFactor[],
      createdAt: row.session.createdAt.getTime(),
      expiresAt: row.session.expiresAt.getTime(),
    };
    if (this.#database.exclusive && epoch === this.#epoch) {
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
      this.#cache.set(handle, session);
    }
    return session;
  }

  /** revoke ends a session, in the caller's transaction where one is given; true where it was alive. */
  async revoke(sessionId: string, tx?: Orm): Promise<boolean> {
    this.forget((session) => session.id === sessionId);
    const remove = (orm: Orm) =>
      orm.delete(sessions).where(eq(sessions.id, sessionId)).returning({ id: sessions.id });
    const rows = tx === undefined ? await this.#database.run(remove) : await remove(tx);
    this.forget((session) => session.id === sessionId);
    return rows.length > 0;
  }

  /** forget drops what memory knows of the sessions that match; to be called before and after they change. */
  forget(matches: (session: Session) => boolean): void {
    this.#epoch += 1;
    for (const [handle, session] of this.#cache) {
      if (matches(session)) this.#cache.delete(handle);
    }
  }
}
