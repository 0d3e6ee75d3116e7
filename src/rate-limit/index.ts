export type { BanDirectory, BanPage, BanQuery, StandingBan } from "./ban-directory.ts";
export { type Ban, BanLadder, type BanLadderOptions } from "./ban-ladder.ts";
export {
  type ConcurrencyLimiter,
  type ConcurrencyOptions,
  type Lease,
  MemoryConcurrency,
  withConcurrencyLimit,
} from "./concurrency.ts";
export { LimitResult, RateLimiter, type RateLimiterOptions } from "./rate-limiter.ts";
export { withRateLimit } from "./with-rate-limit.ts";
