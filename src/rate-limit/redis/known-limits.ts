import type { LimitPolicy, LimitRequest } from "../../core/index.ts";
import { checkedPolicy, costOf } from "../limit.ts";
import { kindOf, nameHead } from "./key-name.ts";

/** A limit as the script and its keys have it, worked out once. */
export interface KnownLimit {
  readonly policy: LimitPolicy;
  /** As kindOf tells. */
  readonly kind: string;
  /** What its keys begin with. */
  readonly head: string;
  /** Its kind and the two numbers behind it, as the script reads them. */
  readonly numbers: readonly [string, string, string];
  /** Microseconds in which one request comes back. */
  readonly interval: number;
  /** Microseconds that a whole burst takes to come back. */
  readonly capacity: number;
}

const MAX_KNOWN = 10_000;

/** KnownLimits remembers the limits that were decided, for as long as the application does, and 10,000 of them by name. */
export class KnownLimits {
  readonly #prefix: string;
  readonly #limits = new WeakMap<LimitPolicy, KnownLimit>();
  readonly #named = new Map<string, LimitPolicy>();
  /** The one of the last request: most take the same. */
  #last: KnownLimit | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Those that can be named. */
  get policies(): readonly LimitPolicy[] {
    return [...this.#named.values()];
  }

  /** check throws a RangeError only if a number of the request is out of range: in a batch it would be everybody's. */
  check(request: LimitRequest): void {
    if (request.cost !== undefined) costOf(request);
    this.of(request.policy);
  }

  /** of throws a RangeError only if a number of the policy is out of range. */
  of(policy: LimitPolicy): KnownLimit {
    if (this.#last?.policy === policy) return this.#last;
    const limit = this.#limits.get(policy) ?? this.#learn(policy);
    this.#last = limit;
    return limit;
  }

  #learn(policy: LimitPolicy): KnownLimit {
    const { name, requests, windowMs, algorithm = "token-bucket", burst } = checkedPolicy(policy);
    const kind = kindOf(algorithm);
    const window = windowMs * 1_000;
    const interval = window / requests;
    const capacity = (burst ?? requests) * interval;
    const [one, all] = kind === "b" ? [interval, capacity] : [requests, window];
    const limit = {
      policy,
      kind,
      head: this.#prefix + nameHead(kind, policy),
      numbers: [kind, String(one), String(all)] as const,
      interval,
      capacity,
    };
    this.#limits.set(policy, limit);
    if (this.#named.size < MAX_KNOWN) this.#named.set(`${algorithm} ${name}`, policy);
    return limit;
  }
}
