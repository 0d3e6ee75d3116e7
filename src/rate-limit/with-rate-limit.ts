import { limitStage, type RateLimitOptions, type Wrapper, wrapper } from "../core/index.ts";

/**
 * withRateLimit limits one route: `withRateLimit({ requests: 10, window: '1m' })(handler)`. It counts by principal, else by
 * client address, unless `keyGenerator` says otherwise; past the limit the answer is 429 with Retry-After. Several limits, in a list, are
 * decided together: all are charged, or none.
 * Throws a RangeError only if `requests` or `window` is out of range.
 */
export function withRateLimit(options: RateLimitOptions | readonly RateLimitOptions[]): Wrapper {
  return wrapper(limitStage(options));
}
