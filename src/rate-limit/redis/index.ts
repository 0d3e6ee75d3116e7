export type { RedisCommands } from "./redis-commands.ts";
export { RedisConcurrency, type RedisConcurrencyOptions } from "./redis-concurrency.ts";
export { RedisRateLimiter, type RedisRateLimiterOptions } from "./redis-rate-limiter.ts";
