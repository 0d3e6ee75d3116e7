import type { Log } from "../core/index.ts";
import { redisAddress } from "./redis-address.ts";
import { RedisConnection } from "./redis-connection.ts";

export interface RedisScriptsOptions {
  /** As that of a RedisState. */
  readonly url: string;
  /** Demands verified TLS for every server that is not on this machine. Default true. */
  readonly production?: boolean | undefined;
  /** Milliseconds that a call may take. Default 1,000. */
  readonly budgetMs?: number | undefined;
  readonly log?: Log | undefined;
}

/**
 * RedisScripts is a connection of its own for those who bring their scripts: what a limiter asks waits behind nobody else's work.
 * It refuses rather than waits, and sends nothing twice, as a RedisState does.
 * The constructor throws a ConfigurationError only if the URL is none, or is not encrypted where that is demanded.
 */
export class RedisScripts {
  readonly #connection: RedisConnection;

  constructor({ url, production = true, budgetMs = 1_000, log }: RedisScriptsOptions) {
    const address = redisAddress(url, { production });
    this.#connection = new RedisConnection({ address, budgetMs, log });
  }

  evalsha(sha: string, keyCount: number, ...keysAndValues: (string | number)[]): Promise<unknown> {
    return this.#connection.run((client) => client.evalsha(sha, keyCount, ...keysAndValues));
  }

  eval(script: string, keyCount: number, ...keysAndValues: (string | number)[]): Promise<unknown> {
    return this.#connection.run((client) => client.eval(script, keyCount, ...keysAndValues));
  }

  /** open connects. Rejects only with an UnavailableError; it connects by itself later. */
  async open(): Promise<void> {
    await this.#connection.run((client) => client.ping());
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
