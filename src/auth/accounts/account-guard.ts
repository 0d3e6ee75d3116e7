import { and, eq, isNull, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { type Clock, parseDuration, systemClock } from "../../core/index.ts";
import { accountGuards, type Database, devices, type Orm } from "../../database/index.ts";

export interface AccountGuardOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
  /** Failures after which an account is locked for a time. Default 5. */
  readonly lockAfter?: number | undefined;
  /** The first lock; each further failure doubles it. Default 1m. */
  readonly lockFor?: string | undefined;
  /** The longest lock. Default 1h. */
  readonly lockForAtMost?: string | undefined;
}

/** Failures in a row after which no time unlocks (NIST SP 800-63B-4 section 3.2.2). */
const DISABLE_AFTER = 100;

/** An attempt that may be made: how many in a row have failed if this one does, and whether that locks. */
export interface Attempt {
  readonly failures: number;
  readonly locks: boolean;
}

/**
 * AccountGuard counts failures and locks for a growing time. An attempt is counted as a failure before it is made, in one
 * guarded statement, so that no burst gets more tries than the limit; what succeeds gives its count back.
 */
export class AccountGuard {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #lockAfter: number;
  readonly #lockMs: number;
  readonly #mostMs: number;

  constructor(options: AccountGuardOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
    this.#lockAfter = options.lockAfter ?? 5;
    this.#lockMs = parseDuration(options.lockFor ?? "1m", "lockFor");
    this.#mostMs = parseDuration(options.lockForAtMost ?? "1h", "lockForAtMost");
  }

  /** tryPassword reserves one verification of the password from an unknown device, or is undefined while it is locked. */
  tryPassword(userId: string): Promise<Attempt | undefined> {
    return this.#tryOf(userId, accountGuards.passwordFailures, accountGuards.passwordLockedUntil);
  }

  /** tryFactor reserves one verification of a second factor, whichever and from wherever. */
  tryFactor(userId: string): Promise<Attempt | undefined> {
    return this.#tryOf(userId, accountGuards.factorFailures, accountGuards.factorLockedUntil);
  }

  async #tryOf(
    userId: string,
    failures: PgColumn,
    lockedUntil: PgColumn,
  ): Promise<Attempt | undefined> {
    const now = new Date(this.#clock.now());
    const [failed, locked] = [sql.identifier(failures.name), sql.identifier(lockedUntil.name)];
    const first = this.#lockAfter <= 1 ? this.#until(sql`1`, now) : sql`NULL`;
    const { rows } = (await this.#database.run((orm) =>
      orm.execute(sql`
        INSERT INTO ${accountGuards} (user_id, ${failed}, ${locked})
        SELECT ${userId}, 1, ${first}
        ON CONFLICT (user_id) DO UPDATE
        SET ${failed} = ${failures} + 1, ${locked} = ${this.#until(sql`${failures} + 1`, now)}
        WHERE ${accountGuards.lockedAt} IS NULL AND ${this.#mayTry(failures, lockedUntil, now)}
        RETURNING ${failures} AS failures`),
    )) as unknown as { rows: readonly { failures: number }[] };
    return this.#attempt(rows[0]?.failures);
  }

  /** tryDevice reserves one verification of the password from a known device, which counts by itself. */
  async tryDevice(deviceId: string): Promise<Attempt | undefined> {
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .update(devices)
        .set({
          failures: sql`${devices.failures} + 1`,
          lockedUntil: this.#until(sql`${devices.failures} + 1`, now),
        })
        .where(
          and(eq(devices.id, deviceId), this.#mayTry(devices.failures, devices.lockedUntil, now)),
        )
        .returning({ failures: devices.failures }),
    );
    return this.#attempt(row?.failures);
  }

  #attempt(failures: number | undefined): Attempt | undefined {
    return failures === undefined ? undefined : { failures, locks: failures === this.#lockAfter };
  }

  #mayTry(failures: PgColumn, lockedUntil: PgColumn, now: Date): SQL | undefined {
    return and(lt(failures, DISABLE_AFTER), or(isNull(lockedUntil), lte(lockedUntil, now)));
  }

  /** The end of the lock that a number of failures brings, or NULL while they are few. */
  #until(failures: SQL, now: Date): SQL {
    const { lockMs, mostMs, after } = {
      lockMs: this.#lockMs,
      mostMs: this.#mostMs,
      after: this.#lockAfter,
    };
    return sql`CASE WHEN ${failures} >= ${after}::int THEN ${now.toISOString()}::timestamptz
      + LEAST(${mostMs}::float8, ${lockMs}::float8 * power(2, LEAST(${failures} - ${after}::int, 30)))
      * interval '1 millisecond' END`;
  }

  /** passed gives back what a right password had reserved; the failures before it stand until all factors are proved. */
  async passed(userId: string, deviceId: string | undefined): Promise<void> {
    await this.#database.run(async (orm) => {
      if (deviceId === undefined) {
        await orm
          .update(accountGuards)
          .set({ passwordFailures: sql`${accountGuards.passwordFailures} - 1` })
          .where(and(eq(accountGuards.userId, userId), sql`${accountGuards.passwordFailures} > 0`));
      } else {
        await orm
          .update(devices)
          .set({ failures: sql`${devices.failures} - 1` })
          .where(and(eq(devices.id, deviceId), sql`${devices.failures} > 0`));
      }
    });
  }

  /** clearFactors forgets the failures of second factors, after all factors were proved. */
  async clearFactors(tx: Orm, userId: string): Promise<void> {
    await tx
      .update(accountGuards)
      .set({ factorFailures: 0, factorLockedUntil: null })
      .where(eq(accountGuards.userId, userId));
  }

  /** clearPasswords forgets the failures of passwords: those of a device, or those of all unknown ones. */
  async clearPasswords(tx: Orm, userId: string, deviceId?: string): Promise<void> {
    if (deviceId === undefined) {
      await tx
        .update(accountGuards)
        .set({ passwordFailures: 0, passwordLockedUntil: null })
        .where(eq(accountGuards.userId, userId));
    } else {
      await tx
        .update(devices)
        .set({ failures: 0, lockedUntil: null })
        .where(eq(devices.id, deviceId));
    }
  }

  /** lock shuts the account to everyone, until unlock. */
  async lock(tx: Orm, userId: string): Promise<void> {
    const lockedAt = new Date(this.#clock.now());
    await tx
      .insert(accountGuards)
      .values({ userId, lockedAt })
      .onConflictDoUpdate({ target: accountGuards.userId, set: { lockedAt } });
  }

  /** unlock ends every lock, and forgets what led to it. */
  async unlock(tx: Orm, userId: string): Promise<void> {
    await tx.delete(accountGuards).where(eq(accountGuards.userId, userId));
    await tx
      .update(devices)
      .set({ failures: 0, lockedUntil: null })
      .where(eq(devices.userId, userId));
  }

  /** isLocked tells whether an administrator has locked the account. */
  async isLocked(userId: string): Promise<boolean> {
    const rows = await this.#database.run((orm) =>
      orm
        .select({ lockedAt: accountGuards.lockedAt })
        .from(accountGuards)
        .where(eq(accountGuards.userId, userId)),
    );
    return rows.some(({ lockedAt }) => lockedAt !== null);
  }
}
