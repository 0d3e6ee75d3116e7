import { createHash } from "node:crypto";
import type { RedisCommands } from "./redis-commands.ts";

/** A script that is sent by its digest, and as a whole where the server does not know it: after a restart, or SCRIPT FLUSH. */
export class Script {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash("sha1").update(text).digest("hex");
  }

  /** run sends it once. A server that answers NOSCRIPT has run nothing, so that the second sending counts nothing twice. */
  async run(
    redis: RedisCommands,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.#digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return redis.eval(this.#text, keys.length, ...keys, ...values);
    }
  }
}

/** Whether the server said so, to us or to the connection that tells us. */
function isUnknownScript(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.startsWith("NOSCRIPT") || isUnknownScript(error.cause);
}

/** within settles as the work does, or rejects when its time is over. What the work does then is not known. */
export function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`no answer within ${milliseconds} ms`));
    // Where this process was busy, the answer may lie there unread: one look at it before it counts as late.
    const timer = setTimeout(() => setImmediate(late), milliseconds);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
