export type { RedisCommands } from "./redis-commands.ts";
export { RedisRateLimiter, type RedisRateLimiterOptions } from "./redis-rate-limiter.ts";
