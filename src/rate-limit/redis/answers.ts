import type { KnownLimit } from "./known-limits.ts";

/** What the script said of one request. */
export interface Answer {
  /** Milliseconds until it would pass; 0 where it is not refused. */
  readonly waitMs: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** Answers reads the numbers that the script answered, one after the other. */
export class Answers {
  readonly #numbers: readonly unknown[];
  #at = 0;

  /** Throws a TypeError only if it is no answer. */
  constructor(answer: unknown) {
    // A decision that was sent alone is answered by one number.
    this.#numbers = Array.isArray(answer) ? answer : [answer];
  }

  /** read is what was said of the next request, which costs so much. Throws a TypeError only if there is nothing. */
  read(limit: KnownLimit, cost: number): Answer {
    const first = this.#next();
    if (limit.kind === "b") return ofBucket(limit, cost, first);
    if (first >= 0) return { waitMs: 0, remaining: first, resetMs: this.#next() };
    return { waitMs: -first, remaining: this.#next(), resetMs: this.#next() };
  }

  /** end throws a TypeError only if there is another. */
  end(): void {
    if (this.#at !== this.#numbers.length) throw new TypeError("the script answered too much");
  }

  #next(): number {
    const value = this.#numbers[this.#at];
    this.#at += 1;
    if (typeof value === "number") return value;
    // A client may be told to leave numbers as text.
    const number = typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
    if (Number.isNaN(number)) throw new TypeError("the script answered too little");
    return number;
  }
}

/** A bucket is told by how far it is from full; the rest follows. */
function ofBucket({ interval, capacity }: KnownLimit, cost: number, answer: number): Answer {
  const level = (answer < 0 ? -1 - answer : answer) / 64;
  const late = level + cost * interval - capacity;
  return {
    waitMs: answer < 0 ? Math.max(1, Math.ceil(late / 1_000)) : 0,
    // What sums of fractions may be off by must not cost a token that is there.
    remaining: Math.max(0, Math.floor((capacity - level) / interval + 1e-6)),
    resetMs: Math.ceil(level / 1_000),
  };
}
