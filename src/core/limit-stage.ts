import { isPromise } from "./awaitable.ts";
import type { RequestContext } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { RateLimitError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import type { Kernel, Stage } from "./kernel.ts";
import type { LimitPolicy, LimitRequest, Verdict } from "./ports.ts";

/** The numbers of a limit. */
export interface LimitNumbers
  extends Pick<LimitPolicy, "algorithm" | "burst" | "onFailure" | "isHidden"> {
  /** Requests in any window; a whole number of at least 1. */
  readonly requests: number;
  /** A duration such as `1m`. */
  readonly window: string;
}

export interface RateLimitOptions extends LimitNumbers {
  /** Whom the limit counts. Default: the principal, else the client's address. */
  keyGenerator?(context: RequestContext): string | undefined;
}

/** limitPolicy reads the numbers of a limit once. Throws a RangeError only if one is not in range. */
export function limitPolicy(name: string, options: LimitNumbers): LimitPolicy {
  const { requests, algorithm, burst, onFailure, isHidden } = options;
  if (!Number.isSafeInteger(requests) || requests < 1 || requests > 1_000_000_000) {
    throw new RangeError(`${name}.requests: expected a whole number from 1, came ${requests}`);
  }
  const windowMs = parseDuration(options.window, `${name}.window`);
  return {
    name,
    requests,
    windowMs,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(burst === undefined ? {} : { burst }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(isHidden === undefined ? {} : { isHidden }),
  };
}

/** principalKey names who is counted: user, key or tenant, else the address, else one bucket that all the unknown share. */
export function principalKey(context: RequestContext): string {
  const { principal } = context;
  if (principal === undefined) return addressKey(context);
  return principal.kind === "user" ? principal.userId : `key:${principal.keyId}`;
}

const UNKNOWN = "address:unknown";
const MAX_REMEMBERED = 10_000;
const addressKeys = new Map<string, string>();

/** addressKey counts by address; where the host cannot know it, all requests share one stated bucket. */
export function addressKey({ address }: RequestContext): string {
  if (address === undefined) return UNKNOWN;
  const known = addressKeys.get(address);
  if (known !== undefined) return known;
  const key = `address:${limitAddress(address)}`;
  if (addressKeys.size >= MAX_REMEMBERED) addressKeys.clear();
  addressKeys.set(address, key);
  return key;
}

/** limitAddress cuts an IPv6 address to its /64, the smallest block that one customer holds. */
export function limitAddress(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === "" ? [] : tail.split(":");
  const gap = address.includes("::") ? Array(8 - front.length - back.length).fill("0") : [];
  return `${[...front, ...gap, ...back].slice(0, 4).join(":")}::/64`;
}

/** limitStage makes the stage of one limit on one route. */
export function limitStage(options: RateLimitOptions): Stage {
  const { requests, window } = options;
  limitPolicy("rateLimit", options);
  return {
    phase: "limit",
    policy: { name: "rateLimit", options: { requests, window } },
    bind(kernel, route) {
      // With its numbers, so that two limits on one route count apart.
      const policy = limitPolicy(`${route.method} ${route.path} ${requests}/${window}`, options);
      return decideLimits(kernel, (context) => [
        { policy, key: options.keyGenerator?.(context) ?? principalKey(context) },
      ]);
    },
  };
}

/** decideLimits turns a list of limits into a check: it decides, keeps what the headers must say, and refuses with a 429. */
export function decideLimits(
  kernel: Kernel,
  requestsOf: (context: RequestContext) => readonly LimitRequest[],
): (context: RequestContext) => "pass" | Error | Promise<"pass" | Error> {
  const { limiter } = kernel;
  if (limiter === undefined) {
    throw new TypeError("a rate limit needs a limiter: take the handlers from createBulwark()");
  }
  return (context) => {
    const verdict = limiter.decide(requestsOf(context));
    return isPromise(verdict)
      ? verdict.then((decided) => conclude(context, decided))
      : conclude(context, verdict);
  };
}

function conclude(context: RequestContext, verdict: Verdict): "pass" | Error {
  if (context instanceof Exchange) {
    for (const state of verdict.states) {
      const { tightest } = context;
      if (tightest === undefined || share(state) < share(tightest)) context.tightest = state;
    }
  }
  if (verdict.allowed) return "pass";
  return new RateLimitError(verdict.retryAfterMs / 1_000, verdict.violated);
}

const share = (state: { policy: LimitPolicy; remaining: number }): number =>
  state.remaining / state.policy.requests;
