import { isPromise, type Limiter, type RefusedAddresses, type Verdict } from "../core/index.ts";
import type { Counter, Metrics } from "../observability/index.ts";
import {
  type BanLadder,
  type ConcurrencyLimiter,
  type Lease,
  RateLimiter,
} from "../rate-limit/index.ts";
import type { RedisRateLimiter } from "../rate-limit/redis/index.ts";

/** Where the limits are kept, and what was counted in this process since it started. */
export interface LimitFigures {
  readonly store: {
    readonly kind: "memory" | "redis";
    /** Whether the store is given up for the moment, so that each limit's failure policy decides. */
    readonly isLost: boolean;
  };
  readonly counters: {
    readonly since: string;
    readonly decided: number;
    /** Refusals by policy; keys' own limits are `key` together, and `ban` is whoever was kept out. */
    readonly refused: readonly { readonly policy: string; readonly count: number }[];
    /** Decisions that the store did not make. */
    readonly failed: number;
    /** Keys in memory, or refused from memory where Redis counts. */
    readonly keys: number;
    /** Requests counted in a shared place because a table was full. */
    readonly overflowed: number;
    /** Addresses that this process keeps out now. */
    readonly banned: number;
  };
}

export interface LimitMetrics {
  /** The limiter, with what it decides and refuses counted. */
  readonly decide: Limiter["decide"];
  /** Places, with those who got none counted by the name of the limit. */
  readonly places: ConcurrencyLimiter;
  /** The bans, with whom they keep out counted. */
  readonly refusedAddresses: RefusedAddresses;
  /** What was counted since the start of this process. */
  figures(since: string): LimitFigures;
}

/** limitMetrics counts what the limits of an application decide, for the metrics and for an operator. */
export function limitMetrics(
  {
    limiter,
    bans,
    places,
  }: {
    readonly limiter: RateLimiter | RedisRateLimiter;
    readonly bans: BanLadder;
    readonly places: ConcurrencyLimiter;
  },
  metrics: Metrics,
): LimitMetrics {
  gauges(limiter, bans, metrics);
  const refusals = new Refusals(metrics);
  let decided = 0;
  metrics.gauge("bulwark_rate_limit_decisions", "Decisions on limits.", () => decided);
  const count = (verdict: Verdict): Verdict => {
    for (const name of verdict.violated) refusals.add(name);
    return verdict;
  };
  return {
    decide: (requests) => {
      decided += 1;
      const verdict = limiter.decide(requests);
      return verdict instanceof Promise ? verdict.then(count) : count(verdict);
    },
    places: {
      acquire: (key, options) => {
        const told = (lease: Lease | undefined): Lease | undefined => {
          if (lease === undefined) refusals.add(options.name);
          return lease;
        };
        const asked = places.acquire(key, options);
        return isPromise(asked) ? asked.then(told) : told(asked);
      },
    },
    refusedAddresses: {
      bannedFor: (address) => {
        const left = bans.bannedFor(address);
        if (left > 0) refusals.add("ban");
        return left;
      },
      refused: (address) => bans.refused(address),
    },
    figures: (since) => {
      const isMemory = limiter instanceof RateLimiter;
      return {
        store: { kind: isMemory ? "memory" : "redis", isLost: !isMemory && limiter.isOpen },
        counters: {
          since,
          decided,
          refused: refusals.list(),
          failed: isMemory ? 0 : limiter.failed,
          keys: isMemory ? limiter.size : limiter.denied,
          overflowed: isMemory ? limiter.overflowed : 0,
          banned: bans.size,
        },
      };
    },
  };
}

/** Refusals by policy, each with its series. */
class Refusals {
  readonly #metrics: Metrics;
  readonly #byPolicy = new Map<string, { count: number; readonly series: Counter }>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  add(name: string): void {
    // The limits of keys are named by whoever makes keys: they share one series.
    const policy = name.startsWith("key:") ? "key" : name;
    let known = this.#byPolicy.get(policy);
    if (known === undefined) {
      const help = "Requests refused by a limit.";
      const series = this.#metrics.counter("bulwark_rate_limit_refusals_total", help, { policy });
      known = { count: 0, series };
      this.#byPolicy.set(policy, known);
    }
    known.count += 1;
    known.series.add();
  }

  list(): readonly { readonly policy: string; readonly count: number }[] {
    return [...this.#byPolicy].map(([policy, { count }]) => ({ policy, count }));
  }
}

function gauges(limiter: RateLimiter | RedisRateLimiter, bans: BanLadder, metrics: Metrics): void {
  metrics.gauge("bulwark_rate_limit_bans", "Addresses banned now.", () => bans.size);
  if (limiter instanceof RateLimiter) {
    metrics.gauge("bulwark_rate_limit_keys", "Keys in the limiter's tables.", () => limiter.size);
    metrics.gauge(
      "bulwark_rate_limit_overflowed",
      "Requests counted in a shared place because a table was full.",
      () => limiter.overflowed,
    );
    return;
  }
  metrics.gauge(
    "bulwark_rate_limit_denied_keys",
    "Keys refused from memory.",
    () => limiter.denied,
  );
  metrics.gauge(
    "bulwark_rate_limit_store_failures",
    "Decisions that the limits' store did not make.",
    () => limiter.failed,
  );
  metrics.gauge(
    "bulwark_rate_limit_store_lost",
    "Whether the limits' store is given up: 1 or 0.",
    () => (limiter.isOpen ? 1 : 0),
  );
}
