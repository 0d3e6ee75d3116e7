import {
  type Clock,
  type Limiter,
  type LimitNumbers,
  type LimitPolicy,
  type LimitRequest,
  type LimitState,
  limitPolicy,
  systemClock,
  type Verdict,
} from "../core/index.ts";
import { KeyedHash } from "./keyed-hash.ts";
import { type Charge, compileLimit, costOf, type Limit, ROUNDING_MS } from "./limit.ts";
import { MemoryBuckets, remainingAt } from "./memory-buckets.ts";
import { MemoryCounters } from "./memory-counters.ts";
import { MemoryLogs } from "./memory-logs.ts";

export interface RateLimiterOptions {
  readonly clock?: Clock | undefined;
  /** Keys remembered at once, of each way to count. Default 100,000. */
  readonly maxKeys?: number | undefined;
}

/** What one limit decided. */
export class LimitResult {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until the same request would pass; 0 where it did. */
  readonly retryAfterMs: number;
  /** Milliseconds since the epoch at which the limit is full again. */
  readonly resetTime: number;

  constructor(allowed: boolean, remaining: number, retryAfterMs: number, resetTime: number) {
    this.allowed = allowed;
    this.remaining = remaining;
    this.retryAfterMs = retryAfterMs;
    this.resetTime = resetTime;
  }

  /** When the limit is full again. */
  get resetAt(): Date {
    return new Date(this.resetTime);
  }
}

const NONE: readonly string[] = [];
const MAX_KNOWN = 10_000;

/**
 * RateLimiter decides in memory, synchronously, by whichever algorithm a limit names. It is bounded: a key is a keyed hash in a
 * table of numbers, and where `maxKeys` of them say something, new keys share a place with their network (IPv6 /48, IPv4 /24), so
 * that a flood of keys can never make a blocked one forgotten.
 */
export class RateLimiter implements Limiter {
  readonly #clock: Clock;
  /** Moments are kept since here: a fraction of a millisecond would be lost in those since the epoch. */
  readonly #origin: number;
  readonly #hash = new KeyedHash();
  readonly #buckets: MemoryBuckets;
  readonly #counters: MemoryCounters;
  readonly #logs: MemoryLogs;
  readonly #limits = new WeakMap<object, Limit>();
  readonly #known = new Map<string, Limit>();
  /** The one of the last decision: most take the same. */
  #last: object | undefined;
  #lastLimit: Limit | undefined;

  constructor(options: RateLimiterOptions = {}) {
    const { maxKeys = 100_000, clock = systemClock } = options;
    if (!Number.isSafeInteger(maxKeys) || maxKeys < 1 || maxKeys > 2 ** 24) {
      throw new RangeError(`maxKeys: expected a whole number from 1 to 2^24, came ${maxKeys}`);
    }
    this.#clock = clock;
    this.#origin = clock.now();
    this.#buckets = new MemoryBuckets(maxKeys, this.#hash);
    this.#counters = new MemoryCounters(maxKeys, this.#hash);
    this.#logs = new MemoryLogs(maxKeys, this.#hash);
  }

  /** Keys in the tables now. */
  get size(): number {
    return this.#buckets.table.size + this.#counters.table.size + this.#logs.size;
  }

  /** Bytes of the tables of buckets and counters. */
  get tableBytes(): number {
    return this.#buckets.table.bytes + this.#counters.table.bytes;
  }

  /** Requests that were counted in a shared place because a table was full. */
  get overflowed(): number {
    return this.#buckets.overflowed + this.#counters.overflowed + this.#logs.overflowed;
  }

  /** consume takes `cost` requests (default 1) of a key, or none. Throws a RangeError only if the limit or cost is out of range. */
  consume(key: string, options: LimitNumbers, cost = 1): LimitResult {
    const limit = options === this.#last ? (this.#lastLimit as Limit) : this.#ofNumbers(options);
    const epoch = this.#clock.now();
    const now = epoch - this.#origin;
    if (!Number.isSafeInteger(cost) || cost < 0) costOf({ policy: limit.policy, key, cost });
    if (limit.isBucket) {
      const wait = this.#buckets.take(limit, key, cost, now);
      const { resetMs } = this.#buckets;
      return new LimitResult(wait === 0, remainingAt(limit, resetMs), wait, epoch + resetMs);
    }
    const charge = this.#look(limit, key, cost, now);
    const allowed = charge.waitMs <= ROUNDING_MS;
    if (allowed) charge.apply();
    const { remaining, resetMs } = charge.stateAfter(allowed ? "charged" : "refused");
    return new LimitResult(allowed, remaining, allowed ? 0 : charge.waitMs, epoch + resetMs);
  }

  /** checkLimit is {@link consume} behind a promise. */
  async checkLimit(key: string, options: LimitNumbers, cost = 1): Promise<LimitResult> {
    return this.consume(key, options, cost);
  }

  decide(requests: readonly LimitRequest[]): Verdict {
    const now = this.#clock.now() - this.#origin;
    if (requests.length === 1) return this.#decideOne(requests[0] as LimitRequest, now);
    const charges: Charge[] = [];
    let retryAfterMs = 0;
    let violated = NONE;
    for (const request of requests) {
      const limit = this.#ofPolicy(request.policy);
      const charge = this.#look(limit, request.key, costOf(request), now, charges);
      charges.push(charge);
      if (charge.waitMs <= ROUNDING_MS) continue;
      violated = [...violated, limit.policy.name];
      if (charge.waitMs > retryAfterMs) retryAfterMs = charge.waitMs;
    }
    const allowed = violated.length === 0;
    const states: LimitState[] = [];
    for (const charge of charges) {
      if (allowed) charge.apply();
      states.push(charge.stateAfter(allowed ? "charged" : "refused"));
    }
    return { allowed, retryAfterMs, states, violated };
  }

  /** Forgets a key under every limit that was decided here, as when an operator lifts a block. */
  forget(key: string): void {
    for (const limit of this.#known.values()) {
      this.#buckets.forget(limit, key);
      this.#counters.forget(limit, key);
      this.#logs.forget(limit, key);
    }
  }

  #decideOne(request: LimitRequest, now: number): Verdict {
    const { policy, key } = request;
    const limit = policy === this.#last ? (this.#lastLimit as Limit) : this.#ofPolicy(policy);
    const cost = costOf(request);
    let wait: number;
    let state: LimitState;
    if (limit.isBucket) {
      wait = this.#buckets.take(limit, key, cost, now);
      const { resetMs } = this.#buckets;
      state = { policy, remaining: remainingAt(limit, resetMs), resetMs, key };
    } else {
      const charge = this.#look(limit, key, cost, now);
      const allowed = charge.waitMs <= ROUNDING_MS;
      if (allowed) charge.apply();
      wait = allowed ? 0 : charge.waitMs;
      state = charge.stateAfter(allowed ? "charged" : "refused");
    }
    const violated = wait === 0 ? NONE : [policy.name];
    return { allowed: wait === 0, retryAfterMs: wait, states: [state], violated };
  }

  /** `before` are the charges of the same decision: a key that is named again is charged on top. */
  #look(
    limit: Limit,
    key: string,
    cost: number,
    now: number,
    before: readonly Charge[] = [],
  ): Charge {
    const store = this.#storeOf(limit);
    const charge = store.look(limit, key, cost, now);
    for (let index = before.length - 1; index >= 0; index -= 1) {
      const other = before[index] as Charge;
      if (other.low !== charge.low || other.high !== charge.high) continue;
      return store.look(limit, key, cost, now, other);
    }
    return charge;
  }

  #storeOf({ algorithm, isBucket }: Limit): MemoryBuckets | MemoryCounters | MemoryLogs {
    if (isBucket) return this.#buckets;
    return algorithm === "sliding-window-log" ? this.#logs : this.#counters;
  }

  #ofPolicy(policy: LimitPolicy): Limit {
    const known = this.#limits.get(policy) ?? this.#compile(policy, policy);
    this.#last = policy;
    this.#lastLimit = known;
    return known;
  }

  #ofNumbers(options: LimitNumbers): Limit {
    const known = this.#limits.get(options);
    const limit = known ?? this.#compile(options, namedByNumbers(options));
    this.#last = options;
    this.#lastLimit = limit;
    return limit;
  }

  /** Policies that say the same are one, however often somebody makes it anew. */
  #compile(owner: object, policy: LimitPolicy): Limit {
    const { name, requests, windowMs, algorithm, burst } = policy;
    const id = `${requests}/${windowMs}/${algorithm ?? ""}/${burst ?? ""} ${name}`;
    let limit = this.#known.get(id);
    if (limit === undefined) {
      limit = compileLimit(policy, this.#hash);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(id, limit);
    }
    // Of the caller's object, so that the headers show what it is called there.
    if (limit.policy !== policy) limit = { ...limit, policy };
    this.#limits.set(owner, limit);
    return limit;
  }
}

const namedByNumbers = (options: LimitNumbers): LimitPolicy =>
  limitPolicy(`${options.requests}/${options.window}`, options);
