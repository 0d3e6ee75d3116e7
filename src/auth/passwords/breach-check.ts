import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Log, UnavailableError } from "../../core/index.ts";
import { createLog } from "../../observability/index.ts";

/**
 * BreachedPasswords is the port to a list of leaked passwords that is asked by range (k-anonymity): neither the password nor
 * its whole hash leaves the process.
 */
export interface BreachedPasswords {
  /**
   * range takes the first five characters of an upper-case hexadecimal SHA-1, and returns a line `SUFFIX:COUNT` for each
   * known password of that range, the suffix being the other 35 characters; lines of count 0 are padding. It rejects where
   * the list cannot be asked; `signal` aborts when the time budget is over.
   */
  range(prefix: string, signal: AbortSignal): Promise<string>;
}

export interface BreachCheckOptions {
  readonly passwords: BreachedPasswords;
  /** Milliseconds that an answer may take. Default 1000. */
  readonly timeout?: number | undefined;
  /**
   * What happens to a new password while the list does not answer: `skip` accepts it and writes a log line, `refuse` answers
   * 503. Default `skip`: the offline list has been asked by then.
   */
  readonly whenUnavailable?: "skip" | "refuse" | undefined;
  /** Default: JSON lines on standard error. */
  readonly log?: Log | undefined;
  /** Resolves after so many milliseconds, or rejects when aborted. Default a timer of Node. */
  readonly delay?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
}

/** The longest answer that is read: ranges have about 1,000 lines of 45 characters. */
const MAX_ANSWER = 1_048_576;
const LINE = /^([0-9A-F]{35}):(\d{1,12})\r?$/gim;

/** BreachCheck asks whether a password is in a list of leaked ones, within a time budget. */
export class BreachCheck {
  readonly #options: BreachCheckOptions;

  constructor(options: BreachCheckOptions) {
    this.#options = options;
  }

  /**
   * isBreached tells whether a password is in the list. While the list does not answer in time and form, it is false and
   * says so in the log, or rejects with an UnavailableError where the policy is `refuse`.
   */
  async isBreached(password: string): Promise<boolean> {
    const hash = createHash("sha1").update(password).digest("hex").toUpperCase();
    try {
      return countOf(hash.slice(5), await this.#range(hash.slice(0, 5))) > 0;
    } catch (error) {
      // A password that cannot be checked is no worse than one before there was such a list, unless the operator says so.
      if (this.#options.whenUnavailable === "refuse") {
        throw new UnavailableError("the list of breached passwords does not answer", {
          cause: error,
        });
      }
      (this.#options.log ?? createLog()).warn(
        { err: error },
        "a new password was accepted without the breach check: the list does not answer",
      );
      return false;
    }
  }

  async #range(prefix: string): Promise<string> {
    const { passwords, timeout = 1_000 } = this.#options;
    const wait = this.#options.delay ?? ((ms, signal) => delay(ms, undefined, { signal }));
    const ending = new AbortController();
    const tooLate = wait(timeout, ending.signal).then(() => {
      throw new Error(`no answer within ${timeout} ms`);
    });
    try {
      return await Promise.race([passwords.range(prefix, ending.signal), tooLate]);
    } finally {
      tooLate.catch(() => undefined);
      ending.abort();
    }
  }
}

/** How often a password was seen, by the answer for its range. Throws an Error only if that is not the answer of such a list. */
function countOf(suffix: string, answer: string): number {
  if (answer.length > MAX_ANSWER) throw new Error(`an answer of ${answer.length} characters`);
  let lines = 0;
  for (const [, known = "", count] of answer.matchAll(LINE)) {
    if (known.toUpperCase() === suffix) return Number(count);
    lines += 1;
  }
  if (lines === 0) throw new Error("an answer without a line of SUFFIX:COUNT");
  return 0;
}
