import {
  addressKey,
  decideLimits,
  type Kernel,
  type LimitPolicy,
  type LimitRequest,
  limitPolicy,
  type Principal,
  principalKey,
  type RequestContext,
  type Stage,
} from "../core/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { namedPolicies } from "./limit-config.ts";

/** A limit that is configured or stands on a route, and whom it counts. */
export interface StandingLimit {
  readonly policy: LimitPolicy;
  readonly counts: string;
}

export interface WiredLimits {
  readonly named: Readonly<Record<string, LimitPolicy>>;
  /** All that are configured, those after authentication too, and those of the routes that were defined so far. */
  standing(): readonly StandingLimit[];
  /** Hears of the limits of routes. */
  readonly limitDefined: NonNullable<Kernel["limitDefined"]>;
  /** After authentication: by user, by key, or by address where nobody is known. */
  readonly admission: Stage;
}

/** wireLimits makes the limits of a configuration: those by address, and the one that is decided when it is known who asks. */
export function wireLimits(config: ResolvedConfig): WiredLimits {
  const policies = namedPolicies(config.limits);
  const { anonymous, user, ...named } = policies;
  if (anonymous === undefined || user === undefined) {
    throw new TypeError("limits: anonymous and user are not configured");
  }
  const ofPrincipal = byPrincipal(policies, user);
  const configured = Object.values(policies).map((policy) => ({
    policy,
    counts: whomItCounts(policy.name),
  }));
  configured.push({ policy: ofKeys(config), counts: "key" });
  const ofRoutes = new Map<string, StandingLimit>();
  const requestsOf = (context: RequestContext): readonly LimitRequest[] => {
    const { principal } = context;
    if (principal === undefined) return [{ policy: anonymous, key: addressKey(context) }];
    const key = principalKey(context);
    return ofPrincipal(principal).map((policy) => ({ policy, key }));
  };
  return {
    named,
    standing: () => [...configured, ...ofRoutes.values()],
    limitDefined: (policy, counts) => ofRoutes.set(policy.name, { policy, counts }),
    admission: {
      phase: "limit",
      policy: { name: "admission", options: { anonymous, user } },
      bind: (kernel) => decideLimits(kernel, requestsOf),
    },
  };
}

/** The most that a key may, whatever its own limits are. */
const ofKeys = ({ apiKeys, limits }: ResolvedConfig): LimitPolicy => {
  const limit = apiKeys.limit ?? limits["user"] ?? { requests: 1_200, window: "1m" };
  return limitPolicy("key", { ...limit, onFailure: "deny" });
};

function whomItCounts(name: string): string {
  const [, bits] = /-(48|32)$/.exec(name) ?? [];
  if (bits !== undefined) return `network /${bits}`;
  if (name === "global") return "everybody";
  if (name === "mail") return "recipient";
  if (name.startsWith("role:")) return "user";
  return name === "user" ? "principal" : "address";
}

/** What a principal is counted by: a key's own limits, decided together, else the widest of its roles, else the one by user. */
function byPrincipal(
  policies: Readonly<Record<string, LimitPolicy>>,
  user: LimitPolicy,
): (principal: Principal) => readonly LimitPolicy[] {
  const roles = new Map(
    Object.entries(policies).flatMap(([name, policy]) =>
      name.startsWith("role:") ? [[name.slice(5), [policy]] as const] : [],
    ),
  );
  const standard = [user];
  const ofKeys = new WeakMap<readonly LimitPolicy[], readonly LimitPolicy[]>();
  return (principal) => {
    if (principal.kind !== "user" && principal.limits !== undefined) {
      return denying(principal.limits, ofKeys);
    }
    if (roles.size === 0 || principal.kind === "tenantKey") return standard;
    const own = principal.roles.flatMap((role) => {
      const policy = roles.get(role);
      return policy === undefined ? [] : [policy];
    });
    return own.toSorted(([a], [b]) => rate(b) - rate(a))[0] ?? standard;
  };
}

const rate = (policy: LimitPolicy | undefined): number =>
  policy === undefined ? 0 : policy.requests / policy.windowMs;

/** A key's limit is what was promised of it: where nobody counts, it refuses. */
function denying(
  limits: readonly LimitPolicy[],
  known: WeakMap<readonly LimitPolicy[], readonly LimitPolicy[]>,
): readonly LimitPolicy[] {
  let made = known.get(limits);
  if (made === undefined) {
    made = limits.map((limit) => ({ onFailure: "deny" as const, ...limit }));
    known.set(limits, made);
  }
  return made;
}
