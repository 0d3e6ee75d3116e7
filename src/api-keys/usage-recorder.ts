import { eq, inArray, sql } from "drizzle-orm";
import { type Clock, type Log, uuidv7 } from "../core/index.ts";
import { apiKeys, apiKeyUsage, type Database } from "../database/index.ts";

export interface UsageRecorderOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log?: Log | undefined;
  /** Hears that a flush is due and was done, so that others can write in the same turn. */
  readonly onFlush?: (() => Promise<void>) | undefined;
}

/** What is counted is written so often: as much is lost where a process is killed. */
const FLUSH_MS = 10_000;
const DAY_MS = 86_400_000;

interface Counted {
  readonly keyId: string;
  readonly day: string;
  requests: number;
  lastUsedAt: number;
}

/** UsageRecorder counts the requests of keys in memory and writes them every ten seconds, so that no request waits for a write. */
export class UsageRecorder {
  readonly #o: UsageRecorderOptions;
  #counts = new Map<string, Counted>();
  #day = -1;
  #dayText = "";
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: UsageRecorderOptions) {
    this.#o = options;
  }

  /** record counts one request. */
  record(keyId: string, now: number): void {
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#dayText = new Date(now).toISOString().slice(0, 10);
    }
    const slot = `${keyId}${this.#dayText}`;
    const counted = this.#counts.get(slot);
    if (counted === undefined) {
      this.#counts.set(slot, { keyId, day: this.#dayText, requests: 1, lastUsedAt: now });
      this.schedule();
    } else {
      counted.requests += 1;
      counted.lastUsedAt = now;
    }
  }

  /** schedule has the next flush happen within ten seconds. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch((err: unknown) => {
        this.#o.log?.warn(
          { err },
          "the use of API keys could not be written; it will be tried again",
        );
        this.schedule();
      });
    }, FLUSH_MS);
    this.#timer.unref();
  }

  /** flush writes what was counted. Rejects where the store cannot be written; nothing is lost by that. */
  flush(): Promise<void> {
    const next = this.#flushing.catch(() => {}).then(() => this.#write());
    this.#flushing = next;
    return next;
  }

  /** close writes what was counted, and stops the timer. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.flush();
  }

  async #write(): Promise<void> {
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      if (counts.size > 0) await this.#writeCounts([...counts.values()]);
    } catch (error) {
      this.#putBack(counts);
      throw error;
    }
    await this.#o.onFlush?.();
  }

  async #writeCounts(counts: readonly Counted[]): Promise<void> {
    const ids = [...new Set(counts.map(({ keyId }) => keyId))];
    await this.#o.database.transaction(async (tx) => {
      // In one order for all processes, and only keys that are still there.
      const rows = await tx
        .select({ id: apiKeys.id })
        .from(apiKeys)
        .where(inArray(apiKeys.id, ids))
        .orderBy(apiKeys.id)
        .for("no key update");
      const there = new Set(rows.map(({ id }) => id));
      const kept = counts.filter(({ keyId }) => there.has(keyId));
      if (kept.length === 0) return;
      const now = this.#o.clock.now();
      await tx
        .insert(apiKeyUsage)
        .values(kept.map(({ keyId, day, requests }) => ({ id: uuidv7(now), keyId, day, requests })))
        .onConflictDoUpdate({
          target: [apiKeyUsage.keyId, apiKeyUsage.day],
          set: { requests: sql`${apiKeyUsage.requests} + excluded.requests` },
        });
      for (const [keyId, at] of latestOf(kept)) {
        const used = new Date(at).toISOString();
        await tx
          .update(apiKeys)
          .set({ lastUsedAt: sql`greatest(${apiKeys.lastUsedAt}, ${used}::timestamptz)` })
          .where(eq(apiKeys.id, keyId));
      }
    });
  }

  #putBack(counts: ReadonlyMap<string, Counted>): void {
    for (const [slot, counted] of counts) {
      const newer = this.#counts.get(slot);
      if (newer === undefined) this.#counts.set(slot, counted);
      else newer.requests += counted.requests;
    }
  }
}

function latestOf(counts: readonly Counted[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { keyId, lastUsedAt } of counts) {
    latest.set(keyId, Math.max(lastUsedAt, latest.get(keyId) ?? 0));
  }
  return latest;
}
