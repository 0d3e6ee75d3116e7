import { randomUUID } from "node:crypto";
import {
  type Awaitable,
  type Clock,
  type Duration,
  type Handler,
  isPromise,
  parseDuration,
  principalKey,
  RateLimitError,
  type RequestContext,
  STAGE,
  systemClock,
} from "../core/index.ts";

/** A place that somebody holds; `release` gives it back, once. */
export interface Lease {
  release(): Awaitable<void>;
}

export interface ConcurrencyOptions {
  readonly name: string;
  /** Places of one key; a whole number from 1. */
  readonly places: number;
  /** After that a place is free again, whoever holds it: the longest time that the work may take. Default 1m. */
  readonly lease?: Duration | undefined;
}

/** ConcurrencyLimiter gives out places. `acquire` resolves to undefined where all are taken; it throws where it cannot know. */
export interface ConcurrencyLimiter {
  acquire(key: string, options: ConcurrencyOptions): Awaitable<Lease | undefined>;
}

/** leaseMs checks the numbers of a limit. Throws a RangeError only if one is out of range. */
export function leaseMs({ name, places, lease = "1m" }: ConcurrencyOptions): number {
  if (!Number.isSafeInteger(places) || places < 1 || places > 10_000) {
    throw new RangeError(`${name}.places: expected a whole number from 1 to 10000, came ${places}`);
  }
  return parseDuration(lease, `${name}.lease`);
}

/** MemoryConcurrency counts places in this process. */
export class MemoryConcurrency implements ConcurrencyLimiter {
  readonly #clock: Clock;
  readonly #held = new Map<string, Map<string, number>>();

  constructor(options: { readonly clock?: Clock | undefined } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  /** Keys of which a place is held. */
  get size(): number {
    return this.#held.size;
  }

  acquire(key: string, options: ConcurrencyOptions): Lease | undefined {
    const life = leaseMs(options);
    const now = this.#clock.now();
    const name = `${options.name}\n${key}`;
    const held = this.#held.get(name) ?? new Map<string, number>();
    for (const [id, until] of held) if (until <= now) held.delete(id);
    if (held.size >= options.places) return undefined;
    const id = randomUUID();
    held.set(id, now + life);
    this.#held.set(name, held);
    return {
      release: () => {
        held.delete(id);
        if (held.size === 0 && this.#held.get(name) === held) this.#held.delete(name);
      },
    };
  }
}

/**
 * withConcurrencyLimit lets a handler run for each key at most `places` times at once: past that the answer is 429, to be tried
 * again in a second. It stands directly around the handler, inside of every stage, and counts by principal, else by address.
 * Throws a RangeError only if a number is out of range.
 */
export function withConcurrencyLimit(
  limiter: ConcurrencyLimiter,
  options: ConcurrencyOptions & {
    keyGenerator?(context: RequestContext): string | undefined;
  },
): <C extends RequestContext, R>(handler: Handler<C, R>) => Handler<C, R> {
  leaseMs(options);
  const { name } = options;
  return <C extends RequestContext, R>(handler: Handler<C, R>): Handler<C, R> => {
    if (typeof handler !== "function" || STAGE in handler) {
      throw new TypeError(`${name}: expected a handler without stages: put them around this`);
    }
    const run = async (context: C): Promise<R> => {
      const key = options.keyGenerator?.(context) ?? principalKey(context);
      const asked = limiter.acquire(key, options);
      const lease = isPromise(asked) ? await asked : asked;
      if (lease === undefined) throw new RateLimitError(1, [name]);
      try {
        return await handler(context);
      } finally {
        // What cannot be given back now is free when the lease is over.
        await Promise.resolve(lease.release()).catch(() => {});
      }
    };
    return run;
  };
}
