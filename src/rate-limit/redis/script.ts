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

  /** run sends it once. Rejects only with what the client does. */
  run(
    redis: RedisCommands,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.begin(redis, keys, values, (error, answer) => {
        if (error === undefined) resolve(answer);
        else reject(error);
      });
    });
  }

  /**
   * begin is run for those who need no promise; it never throws. A server that answers NOSCRIPT has run nothing, so that the second
   * sending counts nothing twice.
   */
  begin(
    redis: RedisCommands,
    keys: readonly string[],
    values: readonly (string | number)[],
    done: Done,
  ): void {
    settle(
      () => redis.evalsha(this.#digest, keys.length, ...keys, ...values),
      (error, answer) => {
        if (!isUnknownScript(error)) done(error, answer);
        else settle(() => redis.eval(this.#text, keys.length, ...keys, ...values), done);
      },
    );
  }
}

/** Told once how it ended: an error, or the answer. */
export type Done = (error: unknown, answer: unknown) => void;

function settle(work: () => Promise<unknown>, done: Done): void {
  try {
    work().then(
      (answer) => done(undefined, answer),
      (error: unknown) => done(error ?? new Error("the client rejected with nothing"), undefined),
    );
  } catch (error) {
    done(error ?? new Error("the client threw nothing"), undefined);
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
