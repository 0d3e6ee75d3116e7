import {
  type Clock,
  type Limiter,
  type LimitPolicy,
  type LimitRequest,
  type LimitState,
  limitPolicy,
  systemClock,
  type Verdict,
} from "../core/index.ts";

export interface RateLimiterOptions {
  readonly clock?: Clock | undefined;
  /** Keys remembered at once. Default 100,000. */
  readonly maxKeys?: number | undefined;
}

export interface LimitResult {
  readonly allowed: boolean;
  readonly remaining: number;
  /** When the bucket is full again. */
  readonly resetAt: Date;
  /** Milliseconds until the same request would pass; 0 where it did. */
  readonly retryAfterMs: number;
}

const NONE: readonly string[] = [];

/** What sums of fractions may be off by; it must not cost a token that is there. */
const ROUNDING_MS = 1e-3;

/** A bucket as one decision sees it: when it is full again now, and when it would be if the request were charged. */
interface Slot {
  readonly policy: LimitPolicy;
  readonly slot: string;
  readonly fullAt: number;
  readonly next: number;
}

/**
 * RateLimiter is a token bucket per key, in memory: `requests` tokens, refilled evenly over the window. A bucket is one
 * number, the moment at which it is full again; a request moves it by its cost, and a refused request does not.
 *
 * The table is bounded. A key whose bucket is full says nothing and is dropped first; where all say something, a new key
 * shares a bucket with its network (IPv6 /48, IPv4 /24), so that a flood of keys can never make a blocked one forgotten.
 */
export class RateLimiter implements Limiter {
  readonly #clock: Clock;
  /** Moments are kept since here: a fraction of a millisecond would be lost in those since the epoch. */
  readonly #origin: number;
  readonly #maxKeys: number;
  readonly #fullAt = new Map<string, number>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #overflowed = 0;

  constructor(options: RateLimiterOptions = {}) {
    const { maxKeys = 100_000, clock = systemClock } = options;
    if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
      throw new RangeError(`maxKeys: expected a whole number from 1, came ${maxKeys}`);
    }
    this.#clock = clock;
    this.#origin = clock.now();
    this.#maxKeys = maxKeys;
  }

  /** Keys in the table now. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Requests that were counted in a shared bucket because the table was full. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** consume takes `cost` tokens (default 1) of a key, or none. Throws a RangeError only if the limit or cost is out of range. */
  consume(
    key: string,
    options: { readonly requests: number; readonly window: string },
    cost = 1,
  ): LimitResult {
    const policy = limitPolicy(`${options.requests}/${options.window}`, options);
    const verdict = this.decide([{ policy, key, cost }]);
    const state = verdict.states[0] as LimitState;
    return {
      allowed: verdict.allowed,
      remaining: state.remaining,
      resetAt: new Date(this.#clock.now() + state.resetMs),
      retryAfterMs: verdict.retryAfterMs,
    };
  }

  /** checkLimit is {@link consume} behind a promise. */
  async checkLimit(
    key: string,
    options: { readonly requests: number; readonly window: string },
  ): Promise<LimitResult> {
    return this.consume(key, options);
  }

  decide(requests: readonly LimitRequest[]): Verdict {
    const now = this.#clock.now() - this.#origin;
    const slots: Slot[] = [];
    let retryAfterMs = 0;
    let violated = NONE;
    for (const request of requests) {
      const slot = this.#slotOf(request, now, slots);
      slots.push(slot);
      const wait = slot.next - now - slot.policy.windowMs;
      if (wait <= ROUNDING_MS) continue;
      violated = [...violated, slot.policy.name];
      if (wait > retryAfterMs) retryAfterMs = wait;
    }
    const allowed = violated.length === 0;
    const states: LimitState[] = [];
    for (const { slot, policy, next, fullAt } of slots) {
      if (allowed) this.#fullAt.set(slot, next);
      states.push(stateOf(policy, allowed ? next : fullAt, now));
    }
    return { allowed, retryAfterMs, states, violated };
  }

  /** Forgets a key under every policy, as when an operator lifts a block. */
  forget(key: string): void {
    for (const slot of this.#fullAt.keys()) {
      if (slot.slice(slot.indexOf("\n") + 1) === key) this.#fullAt.delete(slot);
    }
  }

  /** `before` are the slots of the same decision: one that is named again is charged on top. */
  #slotOf({ policy, key, cost = 1 }: LimitRequest, now: number, before: readonly Slot[]): Slot {
    if (!(cost >= 0) || !Number.isFinite(cost)) {
      throw new RangeError(`cost: expected a number of at least 0, came ${cost}`);
    }
    let slot = `${policy.name}\n${key}`;
    let known = this.#fullAt.get(slot);
    if (known === undefined) {
      const isFull = this.#fullAt.size >= this.#maxKeys && !this.#makeRoom(now);
      if (isFull || this.#overflowed > 0) {
        const shared = `overflow:${bucketOf(`${policy.name}\n${networkOf(key)}`)}`;
        // A key that comes out of the shared bucket starts where that stands: room is no amnesty.
        known = this.#fullAt.get(shared);
        if (isFull) {
          this.#overflowed += 1;
          slot = shared;
        }
      }
    }
    const fullAt = Math.max(known ?? now, now);
    const charged = before.findLast((other) => other.slot === slot)?.next ?? fullAt;
    return { policy, slot, fullAt, next: charged + (cost * policy.windowMs) / policy.requests };
  }

  /** Full buckets are dropped, at most once a second, so that a flood does not pay for a sweep per request. */
  #makeRoom(now: number): boolean {
    if (now - this.#sweptAt >= 1_000 || now < this.#sweptAt) {
      this.#sweptAt = now;
      for (const [slot, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(slot);
    }
    return this.#fullAt.size < this.#maxKeys;
  }
}

function stateOf(policy: LimitPolicy, fullAt: number, now: number): LimitState {
  const used = Math.max(0, fullAt - now) / (policy.windowMs / policy.requests);
  // The division's rounding error must not cost a token that is there.
  const remaining = Math.max(0, Math.floor(policy.requests - used + 1e-6));
  return { policy, remaining, resetMs: Math.max(0, fullAt - now) };
}

/** networkOf is what the keys of an overflow share: the /48 or /24 of an address, or the key itself where it is none. */
function networkOf(key: string): string {
  const text = key.slice(key.indexOf(":") + 1);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return text.slice(0, text.lastIndexOf("."));
  return text.endsWith("::/64") ? text.split(":").slice(0, 3).join(":") : text;
}

const OVERFLOW_BUCKETS = 4_096;
const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

/** bucketOf spreads networks over a fixed number of shared buckets (FNV-1a, seeded); two that meet are only refused earlier. */
function bucketOf(text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash % OVERFLOW_BUCKETS;
}
