import type { LimitState } from "../core/index.ts";
import { KeyTable } from "./key-table.ts";
import type { KeyedHash } from "./keyed-hash.ts";
import { type Charge, type Limit, ROUNDING_MS } from "./limit.ts";
import { networkOf } from "./network.ts";

const SHARED_BUCKETS = 4_096;
const ABSENT = -1;
/** Places below this are those of shared buckets. */
const SHARED = -2;

/**
 * MemoryBuckets keeps token buckets: of each key one number, the moment at which its bucket is full again. A request moves it by
 * its cost, and a refused request does not.
 *
 * Where the table is full of keys that say something, a new key shares a bucket with its network (IPv6 /48, IPv4 /24), so that a
 * flood of keys can never make a blocked one forgotten.
 */
export class MemoryBuckets {
  readonly #hash: KeyedHash;
  readonly #maxKeys: number;
  readonly table: KeyTable;
  readonly #shared = new Float64Array(SHARED_BUCKETS);
  /** Until then a shared bucket says something. */
  #sharedUntil = 0;
  overflowed = 0;

  constructor(maxKeys: number, hash: KeyedHash) {
    this.#hash = hash;
    this.#maxKeys = maxKeys;
    this.table = new KeyTable(maxKeys);
  }

  /** Milliseconds until the bucket that was taken from is full again. */
  resetMs = 0;

  /**
   * take decides one limit alone, without an object: it returns how long the request would have to wait, and has charged it where
   * that is at most {@link ROUNDING_MS}.
   */
  take(limit: Limit, key: string, cost: number, now: number): number {
    const hash = this.#hash;
    hash.digest(limit.hash, key);
    const { low, high } = hash;
    const { table } = this;
    const place = table.find(low, high);
    if (place < 0) return this.#takeNew(limit, key, cost, now);
    const kept = table.moments[(place >> 1) + 1] as number;
    const fullAt = kept < now ? now : kept > now + limit.capacity ? now + limit.capacity : kept;
    const next = fullAt + cost * limit.interval;
    const wait = next - now - limit.capacity;
    if (wait > ROUNDING_MS) {
      this.resetMs = fullAt - now;
      return wait;
    }
    table.moments[(place >> 1) + 1] = next;
    this.resetMs = next - now;
    return 0;
  }

  #takeNew(limit: Limit, key: string, cost: number, now: number): number {
    const charge = this.look(limit, key, cost, now);
    const allowed = charge.waitMs <= ROUNDING_MS;
    if (allowed) charge.apply();
    this.resetMs = (allowed ? charge.next : charge.fullAt) - now;
    return allowed ? 0 : charge.waitMs;
  }

  /** look finds where a key stands; `before` is what the same decision charges it already. */
  look(limit: Limit, key: string, cost: number, now: number, before?: Charge): BucketCharge {
    const hash = this.#hash;
    hash.digest(limit.hash, key);
    const { low, high } = hash;
    let place = this.table.find(low, high);
    let fullAt = place === ABSENT ? now : (this.table.moments[(place >> 1) + 1] as number);
    if (place === ABSENT && (this.#sharedUntil > now || this.table.size >= this.#maxKeys)) {
      const shared = this.#sharedOf(limit, key);
      // A key that comes out of the shared bucket starts where that stands: room is no amnesty.
      fullAt = this.#shared[SHARED - shared] as number;
      if (this.table.size >= this.#maxKeys) place = this.#makeRoom(low, high, now) ?? shared;
      if (place === shared) this.overflowed += 1;
    }
    if (fullAt < now) fullAt = now;
    // Where the clock was set back, nothing waits for longer than a whole burst.
    else if (fullAt > now + limit.capacity) fullAt = now + limit.capacity;
    const start = before instanceof BucketCharge ? before.next : fullAt;
    const next = start + cost * limit.interval;
    return new BucketCharge(this, limit, key, low, high, place, fullAt, next, now);
  }

  write(charge: BucketCharge): void {
    const { table } = this;
    const { low, high, next } = charge;
    let { place } = charge;
    if (place <= SHARED) {
      this.#share(place, next);
      return;
    }
    // A look at another key of the same decision may have moved it.
    if (place < 0 || table.words[place] !== low || table.words[place + 1] !== high) {
      place = table.find(low, high);
      if (place < 0) place = table.insert(low, high, charge.now);
      if (place < 0) {
        this.#share(SHARED - (low & (SHARED_BUCKETS - 1)), next);
        return;
      }
    }
    table.moments[(place >> 1) + 1] = next;
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

  /** Networks are spread over a fixed number of shared buckets; two that meet are only refused earlier. */
  #sharedOf(limit: Limit, key: string): number {
    this.#hash.digest(limit.hash, networkOf(key));
    return SHARED - (this.#hash.low & (SHARED_BUCKETS - 1));
  }

  #share(place: number, next: number): void {
    this.#shared[SHARED - place] = next;
    if (next > this.#sharedUntil) this.#sharedUntil = next;
  }
}

/** A bucket as one decision sees it: when it is full again now, and when it would be if the request were charged. */
export class BucketCharge implements Charge {
  readonly limit: Limit;
  readonly key: string;
  readonly low: number;
  readonly high: number;
  readonly place: number;
  readonly fullAt: number;
  readonly next: number;
  readonly now: number;
  readonly waitMs: number;
  readonly #buckets: MemoryBuckets;

  // Not an object of named values, which would cost as much as the rest of a decision.
  constructor(
    buckets: MemoryBuckets,
    limit: Limit,
    key: string,
    low: number,
    high: number,
    place: number,
    fullAt: number,
    next: number,
    now: number,
  ) {
    this.#buckets = buckets;
    this.limit = limit;
    this.key = key;
    this.low = low;
    this.high = high;
    this.place = place;
    this.fullAt = fullAt;
    this.next = next;
    this.now = now;
    this.waitMs = next - now - limit.capacity;
  }

  apply(): void {
    this.#buckets.write(this);
  }

  stateAfter(outcome: "charged" | "refused"): LimitState {
    const resetMs = (outcome === "charged" ? this.next : this.fullAt) - this.now;
    const { limit, key } = this;
    return { policy: limit.policy, remaining: remainingAt(limit, resetMs), resetMs, key };
  }
}

/** remainingAt is what a bucket holds that is full in `resetMs`. */
export function remainingAt(limit: Limit, resetMs: number): number {
  // The division's rounding error must not cost a token that is there.
  const left = limit.burst - resetMs / limit.interval + 1e-6;
  return left > 0 ? Math.floor(left) : 0;
}
