import { randomBytes } from "node:crypto";
import { and, eq, gt, isNull, lt, type SQL } from "drizzle-orm";
import { type Clock, parseDuration, systemClock, uuidv7 } from "../../core/index.ts";
import { sha256 } from "../../crypto/index.ts";
import { type Database, type Orm, oneTimeTokens } from "../../database/index.ts";

/** What a token is good for, and how long. A mailed link lives ten minutes; a longer life has its reason beside it. */
const LIFETIMES = {
  /** People verify when they next read their mail. */
  "email.verify": "24h",
  "password.reset": "10m",
  "magic-link": "10m",
  /** Two mailboxes have to be opened, of which one may be new. */
  "email.change": "24h",
  /** Whoever is invited did not ask for it, and may be away. */
  invite: "72h",
  "mfa.challenge": "10m",
} as const;

export type TokenPurpose = keyof typeof LIFETIMES;

export type TokenRow = typeof oneTimeTokens.$inferSelect;

export interface OneTimeTokensOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
}

/** OneTimeTokens are random texts that work once, until a time, for one purpose. Only their hashes are stored. */
export class OneTimeTokens {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(options: OneTimeTokensOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
  }

  /** issue makes a token. With `replace` the earlier ones of the user and purpose are void. */
  async issue(
    tx: Orm,
    purpose: TokenPurpose,
    options: {
      readonly userId: string;
      readonly data?: Readonly<Record<string, unknown>> | undefined;
      readonly replace?: boolean | undefined;
    },
  ): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const now = this.#clock.now();
    const token = randomBytes(32).toString("base64url");
    const expiresAt = now + parseDuration(LIFETIMES[purpose]);
    if (options.replace === true) await this.revoke(tx, options.userId, purpose);
    await tx.insert(oneTimeTokens).values({
      id: uuidv7(now),
      purpose,
      tokenHash: sha256(token),
      userId: options.userId,
      data: options.data ?? {},
      createdAt: new Date(now),
      expiresAt: new Date(expiresAt),
    });
    return { token, expiresAt };
  }

  /** find reads a token that would still work, without using it up. */
  async find(purpose: TokenPurpose, token: string): Promise<TokenRow | undefined> {
    const [row] = await this.#database.run((orm) =>
      orm.select().from(oneTimeTokens).where(this.#isGood(purpose, token)),
    );
    return row;
  }

  /** consume uses a token up: of all who ask at once, one gets the row, and the others undefined. */
  async consume(tx: Orm, purpose: TokenPurpose, token: string): Promise<TokenRow | undefined> {
    const [row] = await tx
      .update(oneTimeTokens)
      .set({ usedAt: new Date(this.#clock.now()) })
      .where(this.#isGood(purpose, token))
      .returning();
    return row;
  }

  /** revoke voids the tokens of a user: of one purpose, or of all. */
  async revoke(tx: Orm, userId: string, purpose?: TokenPurpose): Promise<void> {
    await tx
      .delete(oneTimeTokens)
      .where(
        and(
          eq(oneTimeTokens.userId, userId),
          purpose === undefined ? undefined : eq(oneTimeTokens.purpose, purpose),
        ),
      );
  }

  /** sweep deletes the rows of tokens whose time is over. */
  async sweep(): Promise<void> {
    const now = new Date(this.#clock.now());
    await this.#database.run((orm) =>
      orm.delete(oneTimeTokens).where(lt(oneTimeTokens.expiresAt, now)),
    );
  }

  #isGood(purpose: TokenPurpose, token: string): SQL | undefined {
    return and(
      eq(oneTimeTokens.tokenHash, sha256(token)),
      eq(oneTimeTokens.purpose, purpose),
      isNull(oneTimeTokens.usedAt),
      gt(oneTimeTokens.expiresAt, new Date(this.#clock.now())),
    );
  }
}
