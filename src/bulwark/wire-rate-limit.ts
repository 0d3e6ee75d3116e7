import {
  addressKey,
  decideLimits,
  type LimitPolicy,
  type LimitRequest,
  type Principal,
  principalKey,
  type RequestContext,
  type Stage,
} from "../core/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { namedPolicies } from "./limit-config.ts";

export interface WiredLimits {
  readonly named: Readonly<Record<string, LimitPolicy>>;
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
  const requestsOf = (context: RequestContext): readonly LimitRequest[] => {
    const { principal } = context;
    if (principal === undefined) return [{ policy: anonymous, key: addressKey(context) }];
    const key = principalKey(context);
    return ofPrincipal(principal).map((policy) => ({ policy, key }));
  };
  return {
    named,
    admission: {
      phase: "limit",
      policy: { name: "admission", options: { anonymous, user } },
      bind: (kernel) => decideLimits(kernel, requestsOf),
    },
  };
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
