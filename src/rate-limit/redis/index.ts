export { type Forgotten, forgetKeys } from "./forget-keys.ts";
export { RedisBanDirectory } from "./redis-ban-directory.ts";
export type { RedisCommands } from "./redis-commands.ts";
export { RedisConcurrency, type RedisConcurrencyOptions } from "./redis-concurrency.ts";
export { RedisRateLimiter, type RedisRateLimiterOptions } from "./redis-rate-limiter.ts";
