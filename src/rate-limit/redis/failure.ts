import {
  type Clock,
  type LimitPolicy,
  type LimitRequest,
  UnavailableError,
  type Verdict,
} from "../../core/index.ts";
import { RateLimiter } from "../rate-limiter.ts";

/**
 * Failure decides while the store cannot be asked, as each limit says: one that is to deny refuses all (503), those that count
 * here count against their share of the limit, and what is to be let through is. What is counted here is kept from one failure to
 * the next, so that a store that comes and goes gives nobody a new bucket each time.
 */
export class Failure {
  readonly #limiter: RateLimiter;
  readonly #processes: number;
  readonly #shares = new WeakMap<LimitPolicy, LimitPolicy>();

  constructor(options: { clock: Clock; maxKeys: number | undefined; processes: number }) {
    this.#limiter = new RateLimiter(options);
    this.#processes = options.processes;
  }

  /** decide throws an UnavailableError only if one of the limits is to deny. */
  decide(requests: readonly LimitRequest[], cause?: unknown): Verdict {
    if (requests.some(({ policy }) => policy.onFailure === "deny")) {
      throw new UnavailableError("the store of the limits did not answer", { cause });
    }
    const counted = requests.filter(({ policy }) => policy.onFailure !== "insecureAllow");
    const shares = counted.map((request) => ({
      ...request,
      policy: this.#shareOf(request.policy),
    }));
    const verdict = this.#limiter.decide(shares);
    if (counted.length === requests.length) return verdict;
    const states = requests.map((request) => {
      const index = counted.indexOf(request);
      const { policy, key } = request;
      return verdict.states[index] ?? { policy, remaining: policy.requests, resetMs: 0, key };
    });
    return { ...verdict, states };
  }

  forget(key: string): void {
    this.#limiter.forget(key);
  }

  /** A process may give its share of the limit, and never less than one request. */
  #shareOf(policy: LimitPolicy): LimitPolicy {
    if (this.#processes === 1) return policy;
    let share = this.#shares.get(policy);
    if (share === undefined) {
      const part = (whole: number): number => Math.max(1, Math.floor(whole / this.#processes));
      const burst = policy.burst === undefined ? {} : { burst: part(policy.burst) };
      share = { ...policy, requests: part(policy.requests), ...burst };
      this.#shares.set(policy, share);
    }
    return share;
  }
}
