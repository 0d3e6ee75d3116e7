import type { LimitAlgorithm, LimitPolicy, LimitRequest, LimitState } from "../core/index.ts";
import type { HashState, KeyedHash } from "./keyed-hash.ts";

/** A limit as decisions read it: its numbers checked and worked out once. */
export interface Limit {
  readonly policy: LimitPolicy;
  readonly algorithm: LimitAlgorithm;
  /** Whether it is a token bucket, by either name. */
  readonly isBucket: boolean;
  readonly requests: number;
  readonly windowMs: number;
  /** Milliseconds in which one request comes back. */
  readonly interval: number;
  /** Requests at once. */
  readonly burst: number;
  /** Milliseconds that a whole burst takes to come back. */
  readonly capacity: number;
  readonly hash: HashState;
}

/** One limit of a decision, looked up and not yet charged. */
export interface Charge {
  readonly limit: Limit;
  readonly low: number;
  readonly high: number;
  /** Milliseconds until the request would pass; at most {@link ROUNDING_MS} where it does. */
  readonly waitMs: number;
  apply(): void;
  /** Where the limit stands, charged or as it was. */
  stateAfter(outcome: "charged" | "refused"): LimitState;
}

/** What sums of fractions may be off by; it must not cost a token that is there. */
export const ROUNDING_MS = 1e-3;

/** Requests of a limit that keeps each of them. */
const MAX_LOGGED = 10_000;

const ALGORITHMS: readonly string[] = [
  "token-bucket",
  "gcra",
  "sliding-window-counter",
  "sliding-window-log",
] satisfies LimitAlgorithm[];

/** checkedPolicy throws a RangeError only if a number of the policy is out of range, or its algorithm is none. */
export function checkedPolicy(policy: LimitPolicy): LimitPolicy {
  const { name, requests, windowMs, algorithm = "token-bucket", burst } = policy;
  const most = algorithm === "sliding-window-log" ? MAX_LOGGED : 1_000_000_000;
  if (!Number.isSafeInteger(requests) || requests < 1 || requests > most) {
    throw new RangeError(
      `${name}.requests: expected a whole number from 1 to ${most}, came ${requests}`,
    );
  }
  if (!Number.isSafeInteger(windowMs) || windowMs < 1) {
    throw new RangeError(`${name}.windowMs: expected a whole number from 1, came ${windowMs}`);
  }
  if (!ALGORITHMS.includes(algorithm)) {
    const expected = ALGORITHMS.join(", ");
    throw new RangeError(`${name}.algorithm: expected one of ${expected}, came ${algorithm}`);
  }
  if (burst === undefined) return policy;
  if (algorithm !== "token-bucket" && algorithm !== "gcra") {
    throw new RangeError(`${name}.burst: expected none with ${algorithm}, came ${burst}`);
  }
  if (!Number.isSafeInteger(burst) || burst < 1 || burst > 1_000_000_000) {
    throw new RangeError(`${name}.burst: expected a whole number from 1, came ${burst}`);
  }
  return policy;
}

/** compileLimit works a policy's numbers out. Throws a RangeError only if {@link checkedPolicy} does. */
export function compileLimit(given: LimitPolicy, hash: KeyedHash): Limit {
  const policy = checkedPolicy(given);
  const { requests, windowMs, algorithm = "token-bucket", burst = requests } = policy;
  const interval = windowMs / requests;
  const capacity = burst * interval;
  const state = hash.begin(policy.name);
  const isBucket = algorithm === "token-bucket" || algorithm === "gcra";
  return {
    policy,
    algorithm,
    isBucket,
    requests,
    windowMs,
    interval,
    burst,
    capacity,
    hash: state,
  };
}

/** costOf is the cost of a request. Throws a RangeError only if it is no whole number from 0. */
export function costOf({ cost = 1 }: LimitRequest): number {
  if (Number.isSafeInteger(cost) && cost >= 0) return cost;
  throw new RangeError(`cost: expected a whole number of at least 0, came ${cost}`);
}
