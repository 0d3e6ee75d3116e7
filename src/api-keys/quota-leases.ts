import { and, eq, sql } from "drizzle-orm";
import type { Awaitable, Clock } from "../core/index.ts";
import { apiKeys, type Database } from "../database/index.ts";

export interface QuotaLeasesOptions {
  readonly database: Database;
  readonly clock: Clock;
}

/** Most requests that a process takes of a quota at once. */
const MAX_LEASE = 100;
/** Parts of what is left of a quota: one of them is taken at once, so that the last ones are taken singly. */
const SHARES = 64;
/** A quota that was used up is asked about again after this: it may have been raised, or a process may have given some back. */
const RECHECK_MS = 5_000;

interface Lease {
  month: string;
  left: number;
  /** Whether any was taken since the last {@link QuotaLeases.giveBack}. */
  isUsed: boolean;
  emptyUntil: number;
  asking: Promise<void> | undefined;
}

/**
 * QuotaLeases decides on the monthly quotas of keys, exactly and across processes: each takes a part of a quota for itself by one guarded
 * statement, and the parts are never more than the quota. What a process did not need it gives back; what a killed one had taken
 * counts as used.
 */
export class QuotaLeases {
  readonly #o: QuotaLeasesOptions;
  readonly #leases = new Map<string, Lease>();

  constructor(options: QuotaLeasesOptions) {
    this.#o = options;
  }

  /** take uses one request of this month's quota, or tells that there is none left. Rejects where the store cannot say. */
  take(keyId: string): Awaitable<boolean> {
    const now = this.#o.clock.now();
    const lease = this.#leaseOf(keyId, monthOf(now));
    if (lease.left > 0) return use(lease);
    return lease.emptyUntil > now ? false : this.#takeMore(keyId);
  }

  async #takeMore(keyId: string): Promise<boolean> {
    for (;;) {
      // Read anew each time, since what was waited for may have been given back meanwhile.
      const now = this.#o.clock.now();
      const lease = this.#leaseOf(keyId, monthOf(now));
      if (lease.left > 0) return use(lease);
      if (lease.emptyUntil > now) return false;
      lease.asking ??= this.#ask(keyId, lease).finally(() => {
        lease.asking = undefined;
      });
      await lease.asking;
    }
  }

  async #ask(keyId: string, lease: Lease): Promise<void> {
    const { month } = lease;
    // Of two processes whose clocks differ at the turn of a month, the later month stands.
    const used = sql`CASE WHEN ${apiKeys.quotaMonth} >= ${month}::date THEN ${apiKeys.quotaUsed} ELSE 0 END`;
    const left = sql`(${apiKeys.monthlyQuota} - ${used})`;
    const part = sql`least(${left}, greatest(1, least(${MAX_LEASE}::bigint, ${left} / ${SHARES}::bigint)))`;
    const [row] = await this.#o.database.run((orm) =>
      orm
        .update(apiKeys)
        .set({
          quotaMonth: sql`greatest(${apiKeys.quotaMonth}, ${month}::date)`,
          quotaUsed: sql`${used} + ${part}`,
          quotaLease: part,
        })
        .where(and(eq(apiKeys.id, keyId), sql`${left} > 0`))
        .returning({ taken: apiKeys.quotaLease }),
    );
    if (row === undefined) lease.emptyUntil = this.#o.clock.now() + RECHECK_MS;
    else lease.left += row.taken;
  }

  #leaseOf(keyId: string, month: string): Lease {
    const known = this.#leases.get(keyId);
    if (known?.month === month) return known;
    const lease = { month, left: 0, isUsed: false, emptyUntil: 0, asking: undefined };
    this.#leases.set(keyId, lease);
    return lease;
  }

  /** giveBack returns what was not used since it was last called, or all; other processes can have it then. */
  async giveBack(which: "idle" | "all"): Promise<void> {
    const month = monthOf(this.#o.clock.now());
    for (const [keyId, lease] of this.#leases) {
      const { left, isUsed } = lease;
      lease.isUsed = false;
      if (lease.asking !== undefined || (which === "idle" && isUsed)) continue;
      this.#leases.delete(keyId);
      lease.left = 0;
      if (left === 0 || lease.month !== month) continue;
      await this.#o.database.run((orm) =>
        orm
          .update(apiKeys)
          .set({ quotaUsed: sql`${apiKeys.quotaUsed} - ${left}` })
          .where(and(eq(apiKeys.id, keyId), eq(apiKeys.quotaMonth, month))),
      );
    }
  }

  /** Whether there is anything to give back. */
  get isIdle(): boolean {
    return this.#leases.size === 0;
  }
}

function use(lease: Lease): true {
  lease.left -= 1;
  lease.isUsed = true;
  return true;
}

/** monthOf is the first day of a moment's month in UTC. */
const monthOf = (now: number): string => `${new Date(now).toISOString().slice(0, 7)}-01`;

/** untilNextMonth is how many seconds a month has left in UTC. */
export function untilNextMonth(now: number): number {
  const date = new Date(now);
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return (next - now) / 1_000;
}
