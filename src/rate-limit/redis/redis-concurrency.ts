import { randomUUID } from "node:crypto";
import { UnavailableError } from "../../core/index.ts";
import {
  type ConcurrencyLimiter,
  type ConcurrencyOptions,
  type Lease,
  leaseMs,
} from "../concurrency.ts";
import { plain } from "./key-name.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { Script, within } from "./script.ts";

/** KEYS[1] the key; ARGV: places, lease in ms, id. Returns 1 where a place was taken. */
const ACQUIRE = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last[2] - now + 1))
return 1`);

/** KEYS[1] the key; ARGV[1] the id. */
const RELEASE = new Script("return redis.call('ZREM', KEYS[1], ARGV[1])");

/** @public */
export interface RedisConcurrencyOptions {
  readonly redis: RedisCommands;
  /** Stands before every key. Default `bulwark:places:`. */
  readonly prefix?: string | undefined;
  /** Milliseconds that a step may take. Default 100. */
  readonly budgetMs?: number | undefined;
}

/**
 * RedisConcurrency counts places for every process that names the same server and prefix, on the clock of Redis. What a process
 * held that died is free when its lease is over. `acquire` rejects with an UnavailableError only if Redis does not answer in time:
 * the place may then be taken until its lease is over.
 * @public
 */
export class RedisConcurrency implements ConcurrencyLimiter {
  readonly #redis: RedisCommands;
  readonly #prefix: string;
  readonly #budgetMs: number;

  constructor({ redis, prefix = "bulwark:places:", budgetMs = 100 }: RedisConcurrencyOptions) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#budgetMs = budgetMs;
  }

  async acquire(key: string, options: ConcurrencyOptions): Promise<Lease | undefined> {
    const life = leaseMs(options);
    const name = `${this.#prefix}${options.name.replace(/[{}]/g, "_")}{${plain(key)}}`;
    const id = randomUUID();
    const answer = await this.#run(ACQUIRE, name, [options.places, life, id]);
    if (answer !== 1) return undefined;
    return {
      release: async () => {
        await this.#run(RELEASE, name, [id]);
      },
    };
  }

  async #run(script: Script, key: string, values: (string | number)[]): Promise<unknown> {
    try {
      return await within(script.run(this.#redis, [key], values), this.#budgetMs);
    } catch (cause) {
      throw new UnavailableError("the store of the limits did not answer", { cause });
    }
  }
}
