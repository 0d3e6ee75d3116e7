import type { Clock, LimitRequest, Verdict } from "../../core/index.ts";
import { Answers } from "./answers.ts";
import { DECIDE, DECIDE_BUCKET } from "./decide-script.ts";
import { encode } from "./encode.ts";
import { hashSlot } from "./hash-slot.ts";
import { nameOf, plain } from "./key-name.ts";
import type { KnownLimits } from "./known-limits.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { type Done, Script } from "./script.ts";

interface Waiting {
  readonly requests: readonly LimitRequest[];
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch that is under way. */
interface Flight {
  readonly batch: readonly Waiting[];
  /** When it was sent, by the clock and by the stopwatch. */
  readonly since: number;
  readonly sentAt: number;
}

export interface BatchesOptions {
  readonly redis: RedisCommands;
  readonly clock: Clock;
  readonly known: KnownLimits;
  readonly budgetMs: number;
  /** Whether the keys of one script must lie in one slot. */
  readonly isCluster: boolean;
  /** Reads what the server said of one decision, asked at `since`. */
  readonly conclude: (
    requests: readonly LimitRequest[],
    answers: Answers,
    since: number,
  ) => Verdict;
  /** Decides without the server. May throw what rejects the decision. */
  readonly fail: (requests: readonly LimitRequest[], error: unknown) => Verdict;
  /** Told how each batch ended. */
  readonly onEnd: (error: unknown) => void;
}

const MAX_BATCH = 256;
const deciding = new Script(DECIDE);
const decidingBucket = new Script(DECIDE_BUCKET);

/**
 * Batches gathers the decisions of one turn of the event loop and has them decided in one step, in the order in which they came, 256
 * at most at once; on a cluster, one step for each hash slot. A batch is sent once: without an answer in time nobody knows what
 * became of it, and all of it fails.
 */
export class Batches {
  readonly #options: BatchesOptions;
  readonly #flights = new Set<Flight>();
  #waiting: Waiting[] = [];
  #isWatched = false;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** decide rejects only with what `fail` throws. */
  decide(requests: readonly LimitRequest[]): Promise<Verdict> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ requests, resolve, reject });
      if (this.#waiting.length === 1) this.#schedule();
    });
  }

  /** While nothing is under way there is nothing to gather behind: what is asked now goes at once, with what was asked beside it. */
  #schedule(): void {
    if (this.#flights.size === 0) process.nextTick(this.#send);
    else setImmediate(this.#send);
  }

  readonly #send = (): void => {
    const all = this.#waiting;
    this.#waiting = [];
    for (const group of this.#options.isCluster ? bySlot(all) : [all]) {
      if (group.length <= MAX_BATCH) this.#begin(group);
      else {
        for (let from = 0; from < group.length; from += MAX_BATCH) {
          this.#begin(group.slice(from, from + MAX_BATCH));
        }
      }
    }
  };

  #begin(batch: readonly Waiting[]): void {
    const { redis, clock, known } = this.#options;
    const flight = { batch, since: clock.now(), sentAt: performance.now() };
    this.#flights.add(flight);
    this.#watch(this.#options.budgetMs);
    send(redis, batch, known, (error, answer) => {
      if (error === undefined) this.#land(flight, answer);
      else this.#lose(flight, error);
    });
  }

  #land(flight: Flight, answer: unknown): void {
    if (!this.#flights.has(flight)) return;
    const { conclude, onEnd } = this.#options;
    let verdicts: readonly Verdict[];
    try {
      const answers = new Answers(answer);
      verdicts = flight.batch.map(({ requests }) => conclude(requests, answers, flight.since));
      answers.end();
    } catch (error) {
      this.#lose(flight, error);
      return;
    }
    this.#flights.delete(flight);
    for (const [index, verdict] of verdicts.entries()) flight.batch[index]?.resolve(verdict);
    onEnd(undefined);
  }

  #lose(flight: Flight, error: unknown): void {
    if (!this.#flights.delete(flight)) return;
    const { fail, onEnd } = this.#options;
    onEnd(error);
    for (const { requests, resolve, reject } of flight.batch) {
      try {
        resolve(fail(requests, error));
      } catch (failure) {
        reject(failure);
      }
    }
  }

  /** One timer for all that is under way: it looks at the oldest, and is set anew for the next. */
  #watch(milliseconds: number): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const ring = (): void => {
      // Where this process was busy, answers may lie there unread: they are read before what is late by now counts as late.
      const now = performance.now();
      setImmediate(() => this.#look(now));
    };
    setTimeout(ring, milliseconds).unref();
  }

  #look(now: number): void {
    const { budgetMs } = this.#options;
    this.#isWatched = false;
    for (const flight of this.#flights) {
      const end = flight.sentAt + budgetMs;
      // A timer may be early by a part of a millisecond.
      if (end >= now + 1) {
        this.#watch(Math.max(1, end - performance.now()));
        return;
      }
      this.#lose(flight, new Error(`no answer within ${budgetMs} ms`));
    }
  }
}

function send(
  redis: RedisCommands,
  batch: readonly Waiting[],
  known: KnownLimits,
  done: Done,
): void {
  const requests = batch.length === 1 ? batch[0]?.requests : undefined;
  const only = requests?.length === 1 ? requests[0] : undefined;
  if (only !== undefined) {
    const { kind, head, interval, numbers } = known.of(only.policy);
    if (kind === "b") {
      const [, one, all] = numbers;
      const { cost = 1 } = only;
      const values = cost === 1 ? [one, all] : [String(cost * interval), all, one];
      decidingBucket.begin(redis, [nameOf(head, only)], values, done);
      return;
    }
  }
  const { keys, values } = encode(batch, known);
  deciding.begin(redis, keys, values, done);
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
