import { type Clock, ConfigurationError, type Log, type StateStore } from "../core/index.ts";
import { MemoryState } from "../state/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { peer } from "./wire-database.ts";

export interface WiredState {
  readonly store: StateStore;
  /** open connects and checks. Throws a ConfigurationError only if the server may evict keys, in production. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** wireState names the store of short-lived state: this process's memory, or Redis. */
export function wireState({ redisUrl, mode }: ResolvedConfig, clock: Clock, log: Log): WiredState {
  if (redisUrl === undefined) {
    return { store: new MemoryState({ clock, log }), open: async () => {}, close: async () => {} };
  }
  const production = mode === "production";
  const connecting = once(async () => {
    const { RedisState } = await peer(() => import("../state/redis.ts"), "ioredis");
    return new RedisState({ url: redisUrl, production, log });
  });
  return {
    store: deferred(connecting),
    async open() {
      const { problems } = await (await connecting()).check();
      if (problems.length === 0) return;
      if (production)
        throw new ConfigurationError(problems.map((problem) => `REDIS_URL: ${problem}`));
      log.warn({ problems }, "this Redis may forget what must be kept");
    },
    close: async () => {
      // What could not be opened has nothing to close; that was said when it failed.
      const store = await connecting().catch(() => undefined);
      await store?.close();
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A store whose driver is loaded at its first call. */
const deferred = (open: () => Promise<StateStore>): StateStore => ({
  get: async (key) => (await open()).get(key),
  set: async (key, value, ttl, when) => (await open()).set(key, value, ttl, when),
  swap: async (key, expected, next, ttl) => (await open()).swap(key, expected, next, ttl),
  take: async (key) => (await open()).take(key),
  increment: async (key, options) => (await open()).increment(key, options),
  delete: async (key) => (await open()).delete(key),
  publish: async (channel, message) => (await open()).publish(channel, message),
  subscribe: async (channel, listener) => (await open()).subscribe(channel, listener),
});
