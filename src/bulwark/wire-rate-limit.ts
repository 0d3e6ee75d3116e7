import {
  addressKey,
  decideLimits,
  type LimitPolicy,
  limitPolicy,
  principalKey,
  type Stage,
} from "../core/index.ts";
import type { ResolvedConfig } from "./config.ts";

export interface WiredLimits {
  readonly named: Readonly<Record<string, LimitPolicy>>;
  /** After authentication: by user, or by address where nobody is known. */
  readonly admission: Stage;
}

export function wireLimits(config: ResolvedConfig): WiredLimits {
  const policy = (name: string): LimitPolicy => {
    const limit = config.limits[name];
    if (limit === undefined) throw new TypeError(`limits: ${name} is not configured`);
    return limitPolicy(name, limit);
  };
  const anonymous = policy("anonymous");
  const user = policy("user");
  return {
    named: { address: policy("address"), login: policy("login"), register: policy("register") },
    admission: {
      phase: "limit",
      policy: { name: "admission", options: { anonymous, user } },
      bind: (kernel) =>
        decideLimits(kernel, (context) => {
          const { principal } = context;
          if (principal === undefined) return [{ policy: anonymous, key: addressKey(context) }];
          const key = principalKey(context);
          if (principal.kind === "user" || principal.limits === undefined)
            return [{ policy: user, key }];
          // A key's own, decided together, in the place of the one by user.
          return principal.limits.map((limit) => ({ policy: limit, key }));
        }),
    },
  };
}
