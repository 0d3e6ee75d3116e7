import { randomBytes } from "node:crypto";
import { and, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import {
  type Clock,
  type EventContext,
  NotFoundError,
  parseDuration,
  systemClock,
  uuidv7,
} from "../../core/index.ts";
import { sha256 } from "../../crypto/index.ts";
import { type Database, oneTimeTokens, users } from "../../database/index.ts";
import type { NewUser, Registration } from "./registration.ts";
import type { PublicUser } from "./users.ts";

const PURPOSE = "first-admin";
const LIFETIME_MS = parseDuration("15m");

const isAdmin = sql`'admin' = ANY (${users.roles})`;
const adminExists = sql`EXISTS (SELECT 1 FROM ${users} WHERE ${isAdmin})`;

export interface FirstAdminOptions {
  readonly database: Database;
  readonly registration: Registration;
  readonly clock?: Clock | undefined;
}

/** FirstAdmin makes the first administrator by a token that works once, for 15 minutes, while there is none. */
export class FirstAdmin {
  readonly #database: Database;
  readonly #registration: Registration;
  readonly #clock: Clock;

  constructor(options: FirstAdminOptions) {
    this.#database = options.database;
    this.#registration = options.registration;
    this.#clock = options.clock ?? systemClock;
  }

  /** issue returns a new token, of which only the hash is stored, or undefined where an administrator exists. */
  async issue(): Promise<string | undefined> {
    const now = this.#clock.now();
    const token = randomBytes(32).toString("base64url");
    return this.#database.transaction(async (tx) => {
      const found = await tx.select({ id: users.id }).from(users).where(isAdmin).limit(1);
      if (found.length > 0) return undefined;
      await tx.delete(oneTimeTokens).where(eq(oneTimeTokens.purpose, PURPOSE));
      await tx.insert(oneTimeTokens).values({
        id: uuidv7(now),
        purpose: PURPOSE,
        tokenHash: sha256(token),
        createdAt: new Date(now),
        expiresAt: new Date(now + LIFETIME_MS),
      });
      return token;
    });
  }

  /**
   * redeem makes the administrator of the token. The token is used up in the transaction that makes the account, so a
   * refused name or password leaves it good. Throws a NotFoundError only if the token is unknown, used, expired or void.
   */
  async redeem(token: string, input: NewUser, context: EventContext): Promise<PublicUser> {
    // A wrong token costs no hash; what counts is the guarded update below.
    const known = await this.#database.run((orm) =>
      orm.select({ id: oneTimeTokens.id }).from(oneTimeTokens).where(this.#isGood(token)),
    );
    if (known.length === 0) throw new NotFoundError("Setup link");
    const as = { roles: ["user", "admin"], verified: true };
    return this.#registration.createUser(input, as, context, async (tx) => {
      const used = await tx
        .update(oneTimeTokens)
        .set({ usedAt: new Date(this.#clock.now()) })
        .where(this.#isGood(token))
        .returning({ id: oneTimeTokens.id });
      if (used.length === 0) throw new NotFoundError("Setup link");
    });
  }

  #isGood(token: string): SQL | undefined {
    return and(
      eq(oneTimeTokens.tokenHash, sha256(token)),
      eq(oneTimeTokens.purpose, PURPOSE),
      isNull(oneTimeTokens.usedAt),
      gt(oneTimeTokens.expiresAt, new Date(this.#clock.now())),
      sql`NOT ${adminExists}`,
    );
  }
}
