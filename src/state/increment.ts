import { parseDuration, type StateStore } from "../core/index.ts";

/** The options of an increment, as the port has them. */
export type IncrementOptions = Parameters<StateStore["increment"]>[1];

/** An increment with its defaults, checked. */
export interface Increment {
  readonly by: number;
  readonly atMost: number;
  readonly ttlMs: number;
}

/**
 * incrementOf checks the options of an increment. Throws a RangeError only if one is out of range.
 *
 * `by` is at least 1: taking back from a counter that was lost meanwhile would leave less than nothing in it, and so
 * permit more than `atMost`. Without `atMost` a counter ends where numbers stop being exact, in Lua as here.
 */
export function incrementOf(options: IncrementOptions): Increment {
  const { by = 1, atMost = Number.MAX_SAFE_INTEGER } = options;
  if (!Number.isSafeInteger(by) || by < 1) {
    throw new RangeError(`by: expected a whole number from 1, came ${by}`);
  }
  if (!Number.isSafeInteger(atMost) || atMost < 0) {
    throw new RangeError(`atMost: expected a whole number from 0, came ${atMost}`);
  }
  return { by, atMost, ttlMs: parseDuration(options.ttl, "ttl") };
}

/** notACounter is the error of an increment of what another caller has set to a text. */
export const notACounter = (key: string): TypeError =>
  new TypeError(`increment: expected a counter under ${JSON.stringify(key)}, came another text`);
