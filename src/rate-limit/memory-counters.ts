import type { LimitState } from "../core/index.ts";
import { KeyTable } from "./key-table.ts";
import type { KeyedHash } from "./keyed-hash.ts";
import { type Charge, type Limit, ROUNDING_MS } from "./limit.ts";
import { networkOf } from "./network.ts";

/** What of a key's counter is kept: requests in this window and in the one before. */
interface Counts {
  readonly current: number;
  readonly previous: number;
}

const SHARED_COUNTERS = 4_096;
const ABSENT = -1;
/** Places below this are those of shared counters. */
const SHARED = -2;

/**
 * MemoryCounters keeps sliding-window counters: windows stand side by side, and the one before weighs as much as of it still lies
 * within the last `windowMs`. Of each key it keeps two numbers and the moment at which both say nothing any more.
 * Where the table is full, a new key shares a counter with its network, as buckets do.
 */
export class MemoryCounters {
  readonly #hash: KeyedHash;
  readonly #maxKeys: number;
  readonly table: KeyTable;
  /** Of each shared counter the moment at which it is over, and its two numbers. */
  readonly #shared = new Float64Array(SHARED_COUNTERS * 3);
  #sharedUntil = 0;
  overflowed = 0;

  constructor(maxKeys: number, hash: KeyedHash) {
    this.#hash = hash;
    this.#maxKeys = maxKeys;
    this.table = new KeyTable(maxKeys, "two");
  }

  look(limit: Limit, key: string, cost: number, now: number, before?: Charge): CounterCharge {
    const hash = this.#hash;
    hash.digest(limit.hash, key);
    const { low, high } = hash;
    let place = this.table.find(low, high);
    let counts = place === ABSENT ? NONE : this.#countsAt(place, limit, now);
    if (place === ABSENT && (this.#sharedUntil > now || this.table.size >= this.#maxKeys)) {
      hash.digest(limit.hash, networkOf(key));
      const shared = SHARED - (hash.low & (SHARED_COUNTERS - 1));
      // A key that comes out of the shared counter starts where that stands: room is no amnesty.
      counts = this.#countsAt(shared, limit, now);
      if (this.table.size >= this.#maxKeys) place = this.#makeRoom(low, high, now) ?? shared;
      if (place === shared) this.overflowed += 1;
    }
    const charged = cost + (before instanceof CounterCharge ? before.charged : 0);
    return new CounterCharge({
      counters: this,
      limit,
      key,
      low,
      high,
      place,
      counts,
      charged,
      now,
    });
  }

  write({ limit, low, high, place: seen, counts, charged, now }: CounterLook): void {
    const { table } = this;
    const over = (Math.floor(now / limit.windowMs) + 2) * limit.windowMs;
    const current = counts.current + charged;
    let place = seen;
    // A look at another key of the same decision may have moved it.
    if (place > SHARED && (table.words[place] !== low || table.words[place + 1] !== high)) {
      place = table.find(low, high);
      if (place < 0) place = table.insert(low, high, now);
      if (place < 0) place = SHARED - (low & (SHARED_COUNTERS - 1));
    }
    if (place <= SHARED) {
      this.#shared.set([over, current, counts.previous], (SHARED - place) * 3);
      if (over > this.#sharedUntil) this.#sharedUntil = over;
      return;
    }
    table.moments[(place >> 1) + 1] = over;
    table.words[place + 4] = current;
    table.words[place + 5] = counts.previous;
  }

  /** Forgets one key of one limit. */
  forget(limit: Limit, key: string): void {
    this.#hash.digest(limit.hash, key);
    const place = this.table.find(this.#hash.low, this.#hash.high);
    if (place >= 0) this.table.removeAt(place);
  }

  #makeRoom(low: number, high: number, now: number): number | undefined {
    const place = this.table.insert(low, high, now);
    if (place < 0) return undefined;
    // Over, until it is charged.
    this.table.moments[(place >> 1) + 1] = now;
    return place;
  }

  #countsAt(place: number, limit: Limit, now: number): Counts {
    const { words, moments } = this.table;
    const at = (SHARED - place) * 3;
    const over = (place < 0 ? this.#shared[at] : moments[(place >> 1) + 1]) as number;
    const current = (place < 0 ? this.#shared[at + 1] : words[place + 4]) as number;
    const previous = (place < 0 ? this.#shared[at + 2] : words[place + 5]) as number;
    const window = Math.floor(now / limit.windowMs);
    const kept = Math.round(over / limit.windowMs) - 2;
    // A clock that was set back leaves what was counted where it is.
    if (kept >= window) return { current, previous };
    return kept === window - 1 ? { current: 0, previous: current } : NONE;
  }
}

const NONE: Counts = { current: 0, previous: 0 };

interface CounterLook {
  readonly counters: MemoryCounters;
  readonly limit: Limit;
  readonly key: string;
  readonly low: number;
  readonly high: number;
  readonly place: number;
  readonly counts: Counts;
  /** All that the decision charges the key. */
  readonly charged: number;
  readonly now: number;
}

export class CounterCharge implements Charge {
  readonly limit: Limit;
  readonly low: number;
  readonly high: number;
  readonly charged: number;
  readonly waitMs: number;
  readonly #look: CounterLook;

  constructor(look: CounterLook) {
    this.#look = look;
    this.limit = look.limit;
    this.low = look.low;
    this.high = look.high;
    this.charged = look.charged;
    this.waitMs = waitOf(look);
  }

  apply(): void {
    this.#look.counters.write(this.#look);
  }

  stateAfter(outcome: "charged" | "refused"): LimitState {
    const { policy, windowMs, requests } = this.limit;
    const { counts, key } = this.#look;
    const { current, previous } = counts;
    const now = current + (outcome === "charged" ? this.charged : 0);
    const elapsed = this.#look.now % windowMs;
    const used = previous * (1 - elapsed / windowMs) + now;
    const remaining = Math.max(0, Math.floor(requests - used + 1e-6));
    const windows = now > 0 ? 2 : previous > 0 ? 1 : 0;
    const resetMs = windows === 0 ? 0 : windows * windowMs - elapsed;
    return { policy, remaining, resetMs, key };
  }
}

/** Milliseconds until what is asked passes: within this window, where the one before fades far enough, else in the next. */
function waitOf({ limit, counts, charged, now }: CounterLook): number {
  const { requests, windowMs } = limit;
  const { current, previous } = counts;
  const elapsed = now % windowMs;
  if (charged > requests) return windowMs;
  const room = requests - current - charged;
  if (room >= 0) {
    if (previous === 0) return 0;
    const wait = (1 - room / previous) * windowMs - elapsed;
    return wait <= ROUNDING_MS ? 0 : wait;
  }
  const faded = Math.max(0, 1 - (requests - charged) / current);
  return windowMs - elapsed + faded * windowMs;
}
