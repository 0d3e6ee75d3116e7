import { randomBytes } from "node:crypto";
import { and, eq, gt, inArray } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  type EventContext,
  parseDuration,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import { digestsEqual, hmacSha256, type KeyRing, sha256 } from "../../crypto/index.ts";
import { type Database, type Orm, refreshFamilies, sessions } from "../../database/index.ts";
import type { SessionStore } from "../sessions/index.ts";
import {
  formatRefreshToken,
  parseRefreshToken,
  type RefreshToken,
  refreshKeys,
} from "./refresh-token-text.ts";

export interface RefreshTokensOptions {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly sessions: SessionStore;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /** How long a token that was exchanged may be shown again, as by a client that never got the answer. Default 10s. */
  readonly grace?: string | undefined;
}

/**
 * RefreshResult is what became of a refresh token. `rotated` and `replayed-in-grace` carry its successor; `reused` ended the
 * session just now; `refused` is everything else, also a token whose session is over.
 */
export type RefreshResult =
  | {
      readonly outcome: "rotated" | "replayed-in-grace";
      readonly sessionId: string;
      readonly token: string;
    }
  | { readonly outcome: "refused" }
  | { readonly outcome: "reused"; readonly sessionId: string };

type Family = typeof refreshFamilies.$inferSelect;

/** What may follow a token, and how it is written. */
interface Successor {
  readonly token: RefreshToken;
  readonly text: string;
}

const REFUSED: RefreshResult = { outcome: "refused" };
const SECRET_BYTES = 32;
const FIRST_GENERATION = 1;

/**
 * RefreshTokens are exchanged at every use (RFC 9700 section 4.14.2). A token is its family, its generation and a secret; the
 * next secret follows from the one before and a key of ours, so that whoever repeats an exchange within the grace gets the
 * same successor from every process, and only hashes need be stored. Any other repetition ends the session: two hold the token, and
 * one of them stole it.
 */
export class RefreshTokens {
  readonly #database: Database;
  readonly #keys: KeyRing;
  readonly #sessions: SessionStore;
  readonly #audit: AuditSink;
  readonly #clock: Clock;
  readonly #graceMs: number;

  constructor(options: RefreshTokensOptions) {
    this.#database = options.database;
    this.#keys = options.keys;
    this.#sessions = options.sessions;
    this.#audit = options.audit;
    this.#clock = options.clock ?? systemClock;
    this.#graceMs = parseDuration(options.grace ?? "10s", "grace");
  }

  /** issue begins the family of a session in the caller's transaction. Rejects only if the session has one, or is not there. */
  async issue(tx: Orm, sessionId: string): Promise<string> {
    const now = this.#clock.now();
    const [key] = refreshKeys(this.#keys);
    const token: RefreshToken = {
      familyId: uuidv7(now),
      generation: FIRST_GENERATION,
      secret: randomBytes(SECRET_BYTES),
    };
    await tx.insert(refreshFamilies).values({
      id: token.familyId,
      sessionId,
      generation: token.generation,
      secretHash: sha256(token.secret),
      rotatedAt: new Date(now),
      createdAt: new Date(now),
    });
    return formatRefreshToken(token, key);
  }

  /**
   * rotate exchanges a token for its successor. Of all who ask at once one rotates, and the others get the same successor. Rejects only
   * where the database cannot say.
   */
  async rotate(text: string, context: EventContext = {}): Promise<RefreshResult> {
    const token = parseRefreshToken(text, this.#keys);
    if (token === undefined) return REFUSED;
    const [newest, ...older] = this.#successorsOf(token);
    const sessionId = await this.#exchange(token, newest.token);
    if (sessionId !== undefined) return { outcome: "rotated", sessionId, token: newest.text };
    const family = await this.#liveFamily(token.familyId);
    // Who holds a generation that the database never saw has it from a database that was put back to an earlier day.
    if (family === undefined || family.generation < token.generation) return REFUSED;
    if (!this.#mayRepeat(token, family)) return this.#endFamily(family, context);
    const next = [newest, ...older].find((one) =>
      digestsEqual(sha256(one.token.secret), family.secretHash),
    );
    if (next === undefined) return REFUSED;
    return { outcome: "replayed-in-grace", sessionId: family.sessionId, token: next.text };
  }

  /** What may follow a token: by the newest key first, then by those before it, in case it was exchanged under one of them. */
  #successorsOf({ familyId, generation, secret }: RefreshToken): [Successor, ...Successor[]] {
    const [newest, ...older] = refreshKeys(this.#keys);
    const under = (key: Uint8Array): Successor => {
      const next = generation + 1;
      const token: RefreshToken = {
        familyId,
        generation: next,
        secret: hmacSha256(key, "successor", familyId, String(next), secret),
      };
      return { token, text: formatRefreshToken(token, key) };
    };
    return [under(newest), ...older.map(under)];
  }

  /** The one statement that decides: the row is on this generation, with this secret, and its session goes on. */
  async #exchange(token: RefreshToken, next: RefreshToken): Promise<string | undefined> {
    const secretHash = sha256(token.secret);
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .update(refreshFamilies)
        .set({
          generation: next.generation,
          secretHash: sha256(next.secret),
          previousHash: secretHash,
          rotatedAt: now,
        })
        .where(
          and(
            eq(refreshFamilies.id, token.familyId),
            eq(refreshFamilies.generation, token.generation),
            eq(refreshFamilies.secretHash, secretHash),
            inArray(
              refreshFamilies.sessionId,
              orm.select({ id: sessions.id }).from(sessions).where(gt(sessions.expiresAt, now)),
            ),
          ),
        )
        .returning({ sessionId: refreshFamilies.sessionId }),
    );
    return row?.sessionId;
  }

  async #liveFamily(familyId: string): Promise<Family | undefined> {
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .select({ family: refreshFamilies })
        .from(refreshFamilies)
        .innerJoin(sessions, eq(sessions.id, refreshFamilies.sessionId))
        .where(and(eq(refreshFamilies.id, familyId), gt(sessions.expiresAt, now))),
    );
    return row?.family;
  }

  #mayRepeat(token: RefreshToken, family: Family): boolean {
    return (
      family.generation === token.generation + 1 &&
      family.previousHash !== null &&
      digestsEqual(sha256(token.secret), family.previousHash) &&
      this.#clock.now() - family.rotatedAt.getTime() < this.#graceMs
    );
  }

  /** Of all who show a token again, the one that ends the session reports it. */
  async #endFamily({ id, sessionId }: Family, context: EventContext): Promise<RefreshResult> {
    const ended = await this.#database.transaction(async (tx) => {
      const [session] = await tx
        .delete(sessions)
        .where(eq(sessions.id, sessionId))
        .returning({ userId: sessions.userId });
      if (session === undefined) return false;
      await this.#audit.record(
        {
          type: "auth.refresh.reused",
          severity: "high",
          result: "blocked",
          resource: `user:${session.userId}`,
          action: "refresh",
          metadata: { sessionId, familyId: id },
        },
        { ...context, userId: session.userId },
        tx,
      );
      return true;
    });
    this.#sessions.forget((session) => session.id === sessionId);
    return ended ? { outcome: "reused", sessionId } : REFUSED;
  }
}
