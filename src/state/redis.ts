import { type Duration, type Log, parseDuration, type StateStore } from "../core/index.ts";
import { type IncrementOptions, incrementOf, notACounter } from "./increment.ts";
import { Listeners } from "./listeners.ts";
import { redisAddress } from "./redis-address.ts";
import { type RedisClient, RedisConnection } from "./redis-connection.ts";
import { INCREMENT, SWAP } from "./redis-steps.ts";

export { RedisScripts, type RedisScriptsOptions } from "./redis-scripts.ts";

export interface RedisStateOptions {
  /** Such as `rediss://user:password@redis.example.com:6379/0`, or `rediss+cluster://user:password@host:6379,host:6379`. Redis 6.2 or newer. */
  readonly url: string;
  /** Demands verified TLS (`rediss://`) for every server that is not on this machine. Default true. */
  readonly production?: boolean | undefined;
  /** Certificates, in PEM, of the authorities that sign for the server. Default: those that Node.js trusts. */
  readonly ca?: string | undefined;
  /** Stands before every key and channel. Default `bulwark:`. */
  readonly prefix?: string | undefined;
  /** Milliseconds that a call may take, from 1 to 60,000. Default 500. */
  readonly budgetMs?: number | undefined;
  readonly log?: Log | undefined;
}

/** What was read of a server's settings. */
export interface RedisCheck {
  /** `maxmemory-policy`; undefined where the server does not tell. */
  readonly evictionPolicy: string | undefined;
  /** What must be changed before the server may hold state; empty where nothing. */
  readonly problems: readonly string[];
}

/**
 * RedisState is a StateStore in Redis, shared by every process that names the same server and prefix. Each call is one atomic
 * step, every key has a time to live by the server's clock, and nothing is sent twice.
 *
 * A server that is gone, too slow, out of memory or read-only rejects with an UnavailableError within the budget, never later;
 * the step may then have been taken, or not. It connects with the first call, and again by itself.
 * Messages are heard by those who listen while they are sent: what was published while a connection was lost is lost.
 * The constructor throws a ConfigurationError only if the URL is none, or is not encrypted where that is demanded.
 */
export class RedisState implements StateStore {
  readonly #commands: RedisConnection;
  readonly #subscriptions: RedisConnection;
  readonly #listeners: Listeners;
  readonly #prefix: string;
  readonly #log: Log | undefined;

  constructor(options: RedisStateOptions) {
    const { budgetMs = 500, prefix = "bulwark:", production = true, log } = options;
    if (!Number.isSafeInteger(budgetMs) || budgetMs < 1 || budgetMs > 60_000) {
      throw new RangeError(`budgetMs: expected a whole number from 1 to 60000, came ${budgetMs}`);
    }
    const address = redisAddress(options.url, { production, ca: options.ca });
    this.#prefix = prefix;
    this.#log = log;
    this.#listeners = new Listeners(log);
    this.#commands = new RedisConnection({ address, budgetMs, log });
    // A connection that listens may not be held up by one that works, nor the other way round.
    this.#subscriptions = new RedisConnection({
      address,
      budgetMs,
      log,
      onReady: (client) => void this.#subscribeAgain(client),
    });
    this.#subscriptions.onMessage((channel, message) => this.#listeners.deliver(channel, message));
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#commands.run((client) => client.get(this.#prefix + key))) ?? undefined;
  }

  async set(
    key: string,
    value: string,
    ttl: Duration,
    when?: "absent" | "present",
  ): Promise<boolean> {
    const name = this.#prefix + key;
    const ttlMs = parseDuration(ttl, "ttl");
    const answer = await this.#commands.run((client) => {
      if (when === "absent") return client.set(name, value, "PX", ttlMs, "NX");
      if (when === "present") return client.set(name, value, "PX", ttlMs, "XX");
      return client.set(name, value, "PX", ttlMs);
    });
    return answer === "OK";
  }

  async swap(key: string, expected: string, next: string, ttl: Duration): Promise<boolean> {
    const ttlMs = parseDuration(ttl, "ttl");
    const answer = await this.#commands.run((client) =>
      client.eval(SWAP, 1, this.#prefix + key, expected, next, ttlMs),
    );
    return answer === 1;
  }

  async take(key: string): Promise<string | undefined> {
    return (await this.#commands.run((client) => client.getdel(this.#prefix + key))) ?? undefined;
  }

  async increment(
    key: string,
    options: IncrementOptions,
  ): Promise<{ readonly value: number; readonly applied: boolean }> {
    const { by, atMost, ttlMs } = incrementOf(options);
    const [outcome, value] = (await this.#commands.run((client) =>
      client.eval(INCREMENT, 1, this.#prefix + key, by, atMost, ttlMs),
    )) as [number, string];
    if (outcome === -1) throw notACounter(key);
    return { value: Number(value), applied: outcome === 1 };
  }

  async delete(key: string): Promise<void> {
    await this.#commands.run((client) => client.del(this.#prefix + key));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#commands.run((client) => client.publish(this.#prefix + channel, message));
  }

  async subscribe(
    channel: string,
    listener: (message: string) => void,
  ): Promise<() => Promise<void>> {
    const name = this.#prefix + channel;
    const remove = this.#listeners.add(name, listener);
    try {
      // Also where somebody listens already: it may be that nobody was heard yet.
      await this.#subscriptions.run((client) => client.subscribe(name));
    } catch (error) {
      remove();
      throw error;
    }
    return async () => {
      remove();
      if (this.#listeners.has(name)) return;
      await this.#subscriptions
        .run((client) => client.unsubscribe(name))
        .catch(() => {
          // Nobody listens any more, and a new connection does not ask for the channel.
        });
    };
  }

  /**
   * check reads the server's settings, for the doctor. Anything but `noeviction` is a problem: a server that drops keys when it
   * is full forgets revocations and counters, and so permits. Rejects only with an UnavailableError.
   */
  async check(): Promise<RedisCheck> {
    // INFO, not CONFIG GET, which hosted servers refuse.
    const all = await this.#commands.runAll((client) => client.info("memory"));
    const policies = all.map((memory) => /^maxmemory_policy:(\S+)/m.exec(memory)?.[1]);
    const other = policies.findIndex((policy) => policy !== "noeviction");
    if (other === -1) return { evictionPolicy: "noeviction", problems: [] };
    const evictionPolicy = policies[other];
    const came = evictionPolicy ?? "nothing";
    return { evictionPolicy, problems: [`maxmemory-policy: expected noeviction, came ${came}`] };
  }

  /** close ends both connections; every later call rejects with an UnavailableError. */
  async close(): Promise<void> {
    await Promise.all([this.#commands.close(), this.#subscriptions.close()]);
  }

  async #subscribeAgain(client: RedisClient): Promise<void> {
    const { channels } = this.#listeners;
    if (channels.length === 0) return;
    try {
      await client.subscribe(...channels);
    } catch (error) {
      this.#log?.warn({ channels }, "the channels of the state could not be subscribed again");
      // What got no answer is tried on a new connection; what was refused would be refused again.
      if (error instanceof Error && error.name !== "ReplyError") client.disconnect(true);
    }
  }
}
