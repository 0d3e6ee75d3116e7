export { LimitResult, RateLimiter, type RateLimiterOptions } from "./rate-limiter.ts";
export { withRateLimit } from "./with-rate-limit.ts";
