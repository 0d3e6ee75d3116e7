import type { Clock, LimitPolicy, LimitRequest } from "../../core/index.ts";
import { checkedPolicy, costOf } from "../limit.ts";
import { DECIDE, DECIDE_BUCKET } from "./decide-script.ts";
import { hashSlot } from "./hash-slot.ts";
import { keyName, kindOf, plain } from "./key-name.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { Script, within } from "./script.ts";

/** What the server said of one request of a decision. */
interface Answered {
  readonly waitMs: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** What the server said of a decision that was sent at `since`. */
export interface Answer {
  readonly allowed: boolean;
  readonly each: readonly Answered[];
  readonly since: number;
}

interface Waiting {
  readonly requests: readonly LimitRequest[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchesOptions {
  readonly redis: RedisCommands;
  readonly clock: Clock;
  readonly prefix: string;
  readonly budgetMs: number;
  /** Whether the keys of one script must lie in one slot. */
  readonly isCluster: boolean;
  /** Told how each batch ended. */
  readonly onEnd: (error: unknown) => void;
}

const MAX_BATCH = 256;
const deciding = new Script(DECIDE);
const decidingBucket = new Script(DECIDE_BUCKET);

/**
 * Batches gathers the decisions of one turn of the event loop and has them decided in one step, in the order in which they came, 256
 * at most at once; on a cluster, one step for each hash slot. A batch is sent once: without an answer in time nobody knows what
 * became of it, and all of it rejects.
 */
export class Batches {
  readonly #options: BatchesOptions;
  #waiting: Waiting[] = [];
  #inFlight = 0;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** decide rejects with whatever kept the server from answering. */
  decide(requests: readonly LimitRequest[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) this.#schedule();
      this.#waiting.push({ requests, resolve, reject });
    });
  }

  /** While nothing is under way there is nothing to gather behind: what is asked now goes at once, with what was asked beside it. */
  #schedule(): void {
    const send = (): void => this.#send();
    if (this.#inFlight === 0) process.nextTick(send);
    else setImmediate(send);
  }

  #send(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const group of this.#options.isCluster ? bySlot(all) : [all]) {
      for (let from = 0; from < group.length; from += MAX_BATCH) {
        void this.#run(group.slice(from, from + MAX_BATCH));
      }
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const { redis, clock, budgetMs, prefix, onEnd } = this.#options;
    const since = clock.now();
    this.#inFlight += 1;
    let answers: Answer[];
    try {
      answers = decode(batch, await within(send(redis, batch, prefix), budgetMs), since);
    } catch (error) {
      this.#inFlight -= 1;
      for (const { reject } of batch) reject(error);
      onEnd(error);
      return;
    }
    this.#inFlight -= 1;
    for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
    onEnd(undefined);
  }
}

function bySlot(all: readonly Waiting[]): Waiting[][] {
  const groups = new Map<number, Waiting[]>();
  for (const waiting of all) {
    const [first] = waiting.requests;
    const slot = hashSlot(plain(first?.tag ?? first?.key ?? ""));
    const group = groups.get(slot);
    if (group === undefined) groups.set(slot, [waiting]);
    else group.push(waiting);
  }
  return [...groups.values()];
}

function send(redis: RedisCommands, batch: readonly Waiting[], prefix: string): Promise<unknown> {
  const [only, ...more] = batch.flatMap(({ requests }) => requests);
  if (only !== undefined && more.length === 0) {
    const { requests, windowMs, burst = requests, algorithm = "token-bucket" } = only.policy;
    const kind = kindOf(algorithm);
    if (kind === "b") {
      const numbers = [requests, windowMs * 1_000, burst, only.cost ?? 1];
      return decidingBucket.run(redis, [prefix + keyName(kind, only)], numbers);
    }
  }
  const { keys, values } = encode(batch, prefix);
  return deciding.run(redis, keys, values);
}

/** encode writes a batch as the script reads it; each key and each limit stands once. */
function encode(
  batch: readonly Waiting[],
  prefix: string,
): { readonly keys: string[]; readonly values: (string | number)[] } {
  const keys = new Map<string, number>();
  const limits = new Map<LimitPolicy, number>();
  const numbers: (string | number)[] = [];
  const decisions: number[] = [];
  for (const { requests } of batch) {
    decisions.push(requests.length);
    for (const request of requests) {
      const { policy } = request;
      const kind = kindOf(policy.algorithm ?? "token-bucket");
      let limit = limits.get(policy);
      if (limit === undefined) {
        limit = limits.size + 1;
        limits.set(policy, limit);
        numbers.push(
          kind,
          policy.requests,
          policy.windowMs * 1_000,
          policy.burst ?? policy.requests,
        );
      }
      const name = prefix + keyName(kind, request);
      let key = keys.get(name);
      if (key === undefined) {
        key = keys.size + 1;
        keys.set(name, key);
      }
      decisions.push(key, limit, request.cost ?? 1);
    }
  }
  return { keys: [...keys.keys()], values: [limits.size, ...numbers, ...decisions] };
}

function decode(batch: readonly Waiting[], answer: unknown, since: number): Answer[] {
  if (!Array.isArray(answer)) throw new TypeError("the script answered no list");
  const numbers = answer as number[];
  let at = 0;
  const next = (): number => {
    const value = Number(numbers[at]);
    at += 1;
    if (!Number.isFinite(value)) throw new TypeError("the script answered too little");
    return value;
  };
  return batch.map(({ requests }) => {
    const allowed = next() === 1;
    const each = requests.map(() => ({ waitMs: next(), remaining: next(), resetMs: next() }));
    return { allowed, each, since };
  });
}

/** checkRequest throws a RangeError only if a number of the request is out of range: in a batch it would be everybody's. */
export function checkRequest(request: LimitRequest): void {
  checkedPolicy(request.policy);
  costOf(request);
}
