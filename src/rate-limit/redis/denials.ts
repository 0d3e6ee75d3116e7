import type { Clock, LimitPolicy, LimitRequest, LimitState, Verdict } from "../../core/index.ts";

/** Longest time that a refusal is repeated without asking. */
const RECHECK_MS = 5_000;
const MAX_DENIALS = 10_000;

interface Denial {
  readonly policy: LimitPolicy;
  readonly key: string;
  readonly from: number;
  readonly until: number;
  readonly passesAt: number;
  readonly remaining: number;
  readonly fullAt: number;
}

/**
 * Denials remembers which keys are refused, by limit, key and cost, until the request would pass, and for 5 seconds at most: a
 * blocked key costs the store nothing. It holds 10,000; a refusal that is not remembered is asked for again.
 */
export class Denials {
  readonly #clock: Clock;
  readonly #denials = new Map<string, Denial>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#denials.size;
  }

  /** find refuses what is known to be refused; undefined where nothing of it is. */
  find(requests: readonly LimitRequest[]): Verdict | undefined {
    if (this.#denials.size === 0) return undefined;
    const now = this.#clock.now();
    let verdict: { retryAfterMs: number; states: LimitState[]; violated: string[] } | undefined;
    for (const request of requests) {
      const id = idOf(request);
      const denial = this.#denials.get(id);
      if (denial === undefined) continue;
      if (now >= denial.until || now < denial.from) {
        this.#denials.delete(id);
        continue;
      }
      verdict ??= { retryAfterMs: 0, states: [], violated: [] };
      verdict.retryAfterMs = Math.max(verdict.retryAfterMs, denial.passesAt - now);
      verdict.violated.push(denial.policy.name);
      const { policy, remaining, fullAt, key } = denial;
      verdict.states.push({ policy, remaining, resetMs: Math.max(0, fullAt - now), key });
    }
    return verdict && { allowed: false, ...verdict };
  }

  /** keep remembers a refusal of what was asked at `since`. */
  keep(request: LimitRequest, state: LimitState, waitMs: number, since: number): void {
    if (this.#denials.size >= MAX_DENIALS) {
      const [oldest] = this.#denials.keys();
      if (oldest !== undefined) this.#denials.delete(oldest);
    }
    this.#denials.set(idOf(request), {
      policy: request.policy,
      key: request.key,
      from: since,
      until: since + Math.min(waitMs, RECHECK_MS),
      passesAt: since + waitMs,
      remaining: state.remaining,
      fullAt: since + state.resetMs,
    });
  }

  /** forget lifts what is remembered of a key. */
  forget(key: string): void {
    for (const [id, denial] of this.#denials) if (denial.key === key) this.#denials.delete(id);
  }
}

const idOf = ({ policy, key, cost = 1 }: LimitRequest): string => `${cost} ${policy.name}\n${key}`;
