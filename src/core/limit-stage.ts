import { isPromise } from "./awaitable.ts";
import type { RequestContext } from "./context.ts";
import { parseDuration } from "./duration.ts";
import { RateLimitError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import type { Kernel, Stage } from "./kernel.ts";
import { addLimitFields } from "./limit-fields.ts";
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
  /** What a request costs; a whole number of at least 0. Default 1. */
  readonly cost?: number | ((context: RequestContext) => number) | undefined;
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

/** What an address counts as: itself or its /64, and the networks above that. */
interface AddressKeys {
  readonly key: string;
  /** Of an IPv6 address its /48 and its /32. */
  readonly wide: readonly [string, string] | undefined;
}

const UNKNOWN: AddressKeys = { key: "address:unknown", wide: undefined };
const MAX_REMEMBERED = 10_000;
const remembered = new Map<string, AddressKeys>();

/** networkTag is the tag with which an address is decided together with the networks above it; undefined where it has none. */
export const networkTag = (address: string): string | undefined => addressKeys(address).wide?.[1];

/** addressKey counts by address; where the host cannot know it, all requests share one stated bucket. */
export const addressKey = ({ address }: Pick<RequestContext, "address">): string =>
  addressKeys(address).key;

function addressKeys(address: string | undefined): AddressKeys {
  if (address === undefined) return UNKNOWN;
  const known = remembered.get(address);
  if (known !== undefined) return known;
  const network = limitAddress(address);
  const [first, second, third] = network.split(":");
  const wide = [`address:${first}:${second}:${third}::/48`, `address:${first}:${second}::/32`];
  const keys: AddressKeys = {
    key: `address:${network}`,
    wide: network === address ? undefined : (wide as [string, string]),
  };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(address, keys);
  return keys;
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

/**
 * limitStage makes the stage of limits on one route, each for whom it counts; several are decided together. Throws a RangeError
 * only if a number is out of range.
 */
export function limitStage(limits: RateLimitOptions | readonly RateLimitOptions[]): Stage {
  const list: readonly RateLimitOptions[] = "requests" in limits ? [limits] : limits;
  for (const options of list) limitPolicy("rateLimit", options);
  const told = list.map(({ requests, window }) => ({ requests, window }));
  return {
    phase: "limit",
    policy: { name: "rateLimit", options: told.length === 1 ? told[0] : told },
    bind(kernel, route) {
      const policies = list.map((options) => {
        // With its numbers, so that two limits on one route count apart.
        const name = `${route.method} ${route.path} ${options.requests}/${options.window}`;
        const made = limitPolicy(name, options);
        kernel.limitDefined?.(made, options.keyGenerator === undefined ? "principal" : "own");
        return made;
      });
      return decideLimits(kernel, (context) =>
        list.map((options, index) => ({
          policy: policies[index] as LimitPolicy,
          key: options.keyGenerator?.(context) ?? principalKey(context),
          cost: typeof options.cost === "function" ? options.cost(context) : (options.cost ?? 1),
        })),
      );
    },
  };
}

type LimitCheck = (context: RequestContext) => "pass" | Error | Promise<"pass" | Error>;

/**
 * addressLimits decides limits by address before anybody is known: the ban first, then all of them together, and those of the /48
 * and /32 above an IPv6 address (`login-48`, `login-32`) where they are configured, and `global`, which counts everybody.
 */
export function addressLimits(kernel: Kernel, policies: readonly LimitPolicy[]): LimitCheck {
  const { bans } = kernel;
  const named = (name: string): LimitPolicy | undefined =>
    Object.hasOwn(kernel.namedLimits, name) ? kernel.namedLimits[name] : undefined;
  const wider = (bits: "48" | "32"): LimitPolicy[] =>
    policies.flatMap(({ name }) => named(`${name}-${bits}`) ?? []);
  const [above48, above32] = [wider("48"), wider("32")];
  const all = named("global");
  const decide = decideLimits(kernel, (context) => {
    const { key, wide } = addressKeys(context.address);
    // What is decided together lies together on a cluster: a /32 is in one place.
    const tag = wide?.[1];
    const requests: LimitRequest[] = policies.map((policy) => ({ policy, key, tag }));
    if (wide !== undefined) {
      for (const policy of above48) requests.push({ policy, key: wide[0], tag });
      for (const policy of above32) requests.push({ policy, key: wide[1], tag });
    }
    if (all !== undefined) requests.push({ policy: all, key: "global" });
    return requests;
  });
  if (bans === undefined) return decide;
  const heard = (context: RequestContext, result: "pass" | Error): "pass" | Error => {
    if (result instanceof RateLimitError) bans.refused(context.address);
    return result;
  };
  return (context) => {
    const left = bans.bannedFor(context.address);
    if (left > 0) return new RateLimitError(left / 1_000, ["ban"]);
    const result = decide(context);
    return isPromise(result)
      ? result.then((settled) => heard(context, settled))
      : heard(context, result);
  };
}

/** decideLimits turns a list of limits into a check: it decides, keeps what the headers must say, and refuses with a 429. */
export function decideLimits(
  kernel: Kernel,
  requestsOf: (context: RequestContext) => readonly LimitRequest[],
): LimitCheck {
  const { limiter } = kernel;
  if (limiter === undefined) {
    throw new TypeError("a rate limit needs a limiter: take the handlers from createBulwark()");
  }
  const conclude = (context: RequestContext, verdict: Verdict): "pass" | Error => {
    if (context instanceof Exchange) {
      context.limits = addLimitFields(context.limits, verdict.states, kernel.partitionOf);
    }
    if (verdict.allowed) return "pass";
    return new RateLimitError(verdict.retryAfterMs / 1_000, verdict.violated);
  };
  return (context) => {
    const verdict = limiter.decide(requestsOf(context));
    return isPromise(verdict)
      ? verdict.then((decided) => conclude(context, decided))
      : conclude(context, verdict);
  };
}
