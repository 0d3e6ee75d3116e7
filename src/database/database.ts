import { sql } from "drizzle-orm";
import { UnavailableError } from "../core/index.ts";
import { asUnavailable, toDatabaseError } from "../observability/index.ts";
import { type MigrationSet, migrate } from "./migrate.ts";
import type { Orm, OrmTransaction } from "./orm.ts";
import { bindTenant, bypassesPolicies, EVERY } from "./tenancy.ts";
import { insideTransactionOf, withinTransaction } from "./transaction.ts";

/** Driver opens one kind of store. */
export interface Driver {
  /** Such as `PGlite` or `PostgreSQL`, for messages. */
  readonly name: string;
  /** True where this process alone can change the data, so that it may answer reads from memory. */
  readonly exclusive: boolean;
  open(): Promise<Connection>;
}

interface Connection {
  readonly orm: Orm;
  /** transaction commits what `work` did, or nothing of it if it throws. */
  transaction<R>(work: (tx: Orm) => Promise<R>): Promise<R>;
  /** migration is a transaction that may take, and wait, as long as it needs. */
  migration<R>(work: (tx: Orm) => Promise<R>): Promise<R>;
  close(): Promise<void>;
}

/** Database is the only way to the store. Its errors carry no parameters; a refusal thrown inside it stays as it is. */
export interface Database {
  readonly name: string;
  readonly exclusive: boolean;
  /** connect opens the store, once, and runs what migrations are missing. */
  connect(sets: readonly MigrationSet[]): Promise<void>;
  /**
   * run does reads and single statements. Inside of a transaction pass its `tx` on: PGlite has one connection, which the
   * transaction holds, so that a call rejects with a TypeError there.
   */
  run<T>(work: (orm: Orm) => Promise<T>): Promise<T>;
  /** transaction commits what `work` did, or nothing of it if it throws. */
  transaction<T>(work: (tx: OrmTransaction) => Promise<T>): Promise<T>;
  /** inTenant is a transaction that row-level security confines to the rows of one tenant; with undefined to none at all. */
  inTenant<T>(tenantId: string | undefined, work: (tx: OrmTransaction) => Promise<T>): Promise<T>;
  /** insecureAcrossTenants is a transaction that sees and changes the rows of every tenant, as maintenance has to. */
  insecureAcrossTenants<T>(work: (tx: OrmTransaction) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
  /** close lets what began finish; calls after it reject with an UnavailableError. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Hears of each operation when it has ended: the seconds it took, and whether it was done. */
  readonly onOperation?: ((seconds: number, done: boolean) => void) | undefined;
}

/** createDatabase returns a Database that is not open yet. Calls before `connect` reject. */
export function createDatabase(driver: Driver, options: DatabaseOptions = {}): Database {
  let connection: Connection | undefined;
  let closed = false;
  let bypasses = true;
  const active = new Set<Promise<unknown>>();

  const opened = (): Connection => {
    if (closed) throw new UnavailableError("the database is closed");
    if (connection === undefined) throw new TypeError("the database is not open: await ready()");
    if (driver.exclusive && insideTransactionOf(active)) {
      throw new TypeError("a transaction is open: expected its tx, came a statement beside it");
    }
    return connection;
  };
  const guarded = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const running = (async () => work(opened()))();
    active.add(running);
    const started = performance.now();
    let done = false;
    try {
      const result = await running;
      done = true;
      return result;
    } catch (error) {
      throw toDatabaseError(error);
    } finally {
      active.delete(running);
      options.onOperation?.((performance.now() - started) / 1_000, done);
    }
  };

  const transaction: Database["transaction"] = (work) =>
    guarded((on) =>
      on.transaction((tx) =>
        withinTransaction(active, () => work(tx as unknown as OrmTransaction)),
      ),
    );
  const bound = <T>(
    tenant: string | undefined,
    work: (tx: OrmTransaction) => Promise<T>,
  ): Promise<T> =>
    transaction(async (tx) => {
      await bindTenant(tx, tenant, bypasses);
      return work(tx);
    });

  return {
    name: driver.name,
    exclusive: driver.exclusive,
    async connect(sets) {
      if (connection !== undefined) return;
      const made = await driver.open();
      try {
        await migrate({ transaction: (work) => made.migration(work) }, sets);
        bypasses = await bypassesPolicies(made.orm);
        // Whoever closed meanwhile found nothing to close.
        if (closed) throw new UnavailableError("the database is closed");
      } catch (error) {
        await made.close();
        throw asUnavailable(error) ?? error;
      }
      connection = made;
    },
    run: (work) => guarded(({ orm }) => work(orm)),
    transaction,
    // A tenant's id comes from a session, and yet: nobody gets to all of them by a name.
    inTenant: (tenantId, work) => bound(tenantId === EVERY ? undefined : tenantId, work),
    insecureAcrossTenants: (work) => bound(EVERY, work),
    ping: () => guarded(async ({ orm }) => void (await orm.execute(sql`SELECT 1`))),
    async close() {
      closed = true;
      // What began is let finish: the store bounds how long a statement may take.
      await Promise.allSettled(active);
      const closing = connection;
      connection = undefined;
      await closing?.close();
    },
  };
}
