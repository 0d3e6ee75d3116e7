import {
  type Awaitable,
  type Clock,
  type Limiter,
  type LimitNumbers,
  type LimitPolicy,
  type LimitRequest,
  type LimitState,
  limitPolicy,
  systemClock,
  type Verdict,
} from "../../core/index.ts";
import { LimitResult } from "../rate-limiter.ts";
import type { Answers } from "./answers.ts";
import { Batches } from "./batches.ts";
import { Breaker } from "./breaker.ts";
import { Denials } from "./denials.ts";
import { Failure } from "./failure.ts";
import { FORGET } from "./forget-script.ts";
import { nameOf } from "./key-name.ts";
import { KnownLimits } from "./known-limits.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { Script, within } from "./script.ts";

/** @public */
export interface RedisRateLimiterOptions {
  /** A client of ioredis, `Redis` or `Cluster`. */
  readonly redis: RedisCommands;
  /** Whether it is a cluster: requests that are decided together then share a `tag`. Default false. */
  readonly isCluster?: boolean | undefined;
  /** Stands before every key. Default `bulwark:limit:`. */
  readonly prefix?: string | undefined;
  /** Milliseconds that a decision may take, from 1 to 60,000. Default 100. */
  readonly budgetMs?: number | undefined;
  /** Processes that share the limits: while Redis does not answer, each gives its share. Default 1. */
  readonly processes?: number | undefined;
  /** Failures in a row after which Redis is not asked for `pauseMs`. Default 3. */
  readonly failures?: number | undefined;
  /** Default 1,000. */
  readonly pauseMs?: number | undefined;
  /** Keys that are counted here at once, while Redis does not answer. Default 100,000. */
  readonly maxKeys?: number | undefined;
  /** For what is remembered here; limits are decided on the clock of Redis. Default the system's. */
  readonly clock?: Clock | undefined;
  /** Told once when Redis is given up, and once when it answers again. Default nothing. */
  readonly onChange?: ((state: "open" | "closed", cause: unknown) => void) | undefined;
}

const NONE: readonly string[] = [];
const forgetting = new Script(FORGET);

/**
 * RedisRateLimiter decides in Redis, on its clock, for every process that names the same server and prefix: one script call for all
 * that one turn of the event loop asks, each decision exact, each key with an expiry. It is never sent twice. What got no answer
 * within the budget is decided by the limit's `onFailure`; past three failures nothing is sent for a second, and then one attempt.
 *
 * A key that is blocked is refused from memory, synchronously, until its time, and at most for 5 seconds.
 * @public
 */
export class RedisRateLimiter implements Limiter {
  readonly #redis: RedisCommands;
  readonly #budgetMs: number;
  readonly #clock: Clock;
  readonly #isCluster: boolean;
  readonly #batches: Batches;
  readonly #breaker: Breaker;
  readonly #denials: Denials;
  readonly #failure: Failure;
  readonly #known: KnownLimits;
  #failed = 0;

  constructor(options: RedisRateLimiterOptions) {
    const { redis, isCluster = false, prefix = "bulwark:limit:", clock = systemClock } = options;
    const budgetMs = wholeNumber("budgetMs", options.budgetMs ?? 100, 60_000);
    const failures = wholeNumber("failures", options.failures ?? 3, 1_000);
    const pauseMs = wholeNumber("pauseMs", options.pauseMs ?? 1_000, 600_000);
    const processes = wholeNumber("processes", options.processes ?? 1, 10_000);
    this.#redis = redis;
    this.#known = new KnownLimits(prefix);
    this.#budgetMs = budgetMs;
    this.#clock = clock;
    this.#isCluster = isCluster;
    this.#denials = new Denials(clock);
    this.#failure = new Failure({ clock, maxKeys: options.maxKeys, processes });
    const onChange = options.onChange ?? (() => {});
    this.#breaker = new Breaker({ clock, failures, pauseMs, onChange });
    const onEnd = (error: unknown): void => {
      if (error === undefined) this.#breaker.succeeded();
      else this.#breaker.failed(error);
    };
    this.#batches = new Batches({
      redis,
      clock,
      known: this.#known,
      budgetMs,
      isCluster,
      conclude: (requests, answers, since) => this.#conclude(requests, answers, since),
      fail: (requests, error) => this.#fail(requests, error),
      onEnd,
    });
  }

  /** Decisions that Redis did not make. */
  get failed(): number {
    return this.#failed;
  }

  /** Whether Redis is given up for the moment. */
  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Keys that are refused from memory. */
  get denied(): number {
    return this.#denials.size;
  }

  /**
   * decide charges all of the requests, or none. It throws or rejects with an UnavailableError only if Redis does not answer and a
   * limit is to `deny` then, and with a RangeError only if a number is out of range. On a cluster, requests of several tags are
   * decided one tag after the other, in order, and what was charged before a refusal stays charged.
   */
  decide(requests: readonly LimitRequest[]): Awaitable<Verdict> {
    for (const request of requests) this.#known.check(request);
    if (requests.length === 0) return { allowed: true, retryAfterMs: 0, states: [], violated: [] };
    const denied = this.#denials.find(requests);
    if (denied !== undefined) return denied;
    if (!this.#breaker.mayAsk()) return this.#fail(requests, undefined);
    if (!this.#isCluster || requests.length === 1) return this.#batches.decide(requests);
    const groups = byTag(requests);
    return groups.length === 1 ? this.#batches.decide(requests) : this.#decideInOrder(groups);
  }

  /** consume decides one limit for one key. */
  async consume(key: string, options: LimitNumbers, cost = 1): Promise<LimitResult> {
    return this.#decideOne({ policy: this.#policyOf(options), key, cost });
  }

  /** checkLimit is {@link consume}; with numbers, `limit` requests in any `windowMs`, exactly, as a log keeps them. */
  async checkLimit(key: string, limit: number, windowMs: number): Promise<LimitResult>;
  async checkLimit(key: string, options: LimitNumbers): Promise<LimitResult>;
  async checkLimit(
    key: string,
    limit: number | LimitNumbers,
    windowMs?: number,
  ): Promise<LimitResult> {
    if (typeof limit !== "number") return this.consume(key, limit);
    return this.consume(key, {
      requests: limit,
      window: `${windowMs}ms`,
      algorithm: "sliding-window-log",
    });
  }

  /**
   * forget lifts a key under every limit that was decided here, as an operator does; other processes notice within 5 seconds.
   * `tag` is the one it was decided with. Rejects only if Redis does not answer.
   */
  async forget(key: string, tag?: string): Promise<void> {
    this.#denials.forget(key);
    this.#failure.forget(key);
    const names = this.#known.policies.map((policy) =>
      nameOf(this.#known.of(policy).head, { policy, key, tag }),
    );
    if (names.length === 0) return;
    await within(forgetting.run(this.#redis, names, []), this.#budgetMs);
    this.#denials.forget(key);
  }

  async #decideInOrder(groups: readonly (readonly LimitRequest[])[]): Promise<Verdict> {
    const states: LimitState[] = [];
    for (const requests of groups) {
      const verdict = await this.#batches.decide(requests);
      states.push(...verdict.states);
      if (!verdict.allowed) return { ...verdict, states };
    }
    return { allowed: true, retryAfterMs: 0, states, violated: [] };
  }

  #conclude(requests: readonly LimitRequest[], answers: Answers, since: number): Verdict {
    const states: LimitState[] = [];
    let violated = NONE;
    let retryAfterMs = 0;
    for (const [index, request] of requests.entries()) {
      const { policy, key } = request;
      const cost = costSoFar(requests, index);
      const { waitMs, remaining, resetMs } = answers.read(this.#known.of(policy), cost);
      const state = { policy, remaining, resetMs, key };
      states.push(state);
      if (waitMs === 0) continue;
      violated = [...violated, policy.name];
      if (waitMs > retryAfterMs) retryAfterMs = waitMs;
      // A key that is named twice was refused for both together: alone, one might pass.
      if (isAlone(request, requests)) this.#denials.keep(request, state, waitMs, since);
    }
    return { allowed: retryAfterMs === 0, retryAfterMs, states, violated };
  }

  #fail(requests: readonly LimitRequest[], cause: unknown): Verdict {
    this.#failed += 1;
    return this.#failure.decide(requests, cause);
  }

  async #decideOne(request: LimitRequest): Promise<LimitResult> {
    const { allowed, retryAfterMs, states } = await this.decide([request]);
    const { remaining = 0, resetMs = 0 } = states[0] ?? {};
    return new LimitResult(allowed, remaining, retryAfterMs, this.#clock.now() + resetMs);
  }

  readonly #numbers = new WeakMap<LimitNumbers, LimitPolicy>();

  #policyOf(options: LimitNumbers): LimitPolicy {
    let policy = this.#numbers.get(options);
    if (policy === undefined) {
      policy = limitPolicy(`${options.requests}/${options.window}`, options);
      this.#numbers.set(options, policy);
    }
    return policy;
  }
}

const isSame = (one: LimitRequest, other: LimitRequest): boolean =>
  one.key === other.key && one.policy.name === other.policy.name;

const isAlone = (request: LimitRequest, all: readonly LimitRequest[]): boolean =>
  all.length === 1 || all.filter((each) => isSame(each, request)).length === 1;

/** What a request costs with those in front of it that count on the same key. */
function costSoFar(all: readonly LimitRequest[], index: number): number {
  const request = all[index] as LimitRequest;
  const { cost = 1 } = request;
  if (all.length === 1) return cost;
  const before = all.slice(0, index).filter((each) => isSame(each, request));
  return before.reduce((sum, each) => sum + (each.cost ?? 1), cost);
}

/** byTag groups requests, in the order in which their tags came first. */
function byTag(requests: readonly LimitRequest[]): LimitRequest[][] {
  const groups = new Map<string, LimitRequest[]>();
  for (const request of requests) {
    const { tag = request.key } = request;
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [request]);
    else group.push(request);
  }
  return [...groups.values()];
}

function wholeNumber(field: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`${field}: expected a whole number from 1 to ${most}, came ${value}`);
}
