import { type LimitNumbers, type LimitPolicy, limitPolicy, parseDuration } from "../core/index.ts";
import { RateLimiter } from "../rate-limit/index.ts";

/** A limit by its numbers: requests in a window, how they are counted, and what happens while the store of the limits is gone. */
export type LimitConfig = LimitNumbers;

export interface BanConfig {
  /** Refusals by a limit after which an address is banned. Default 1,000 in 10m. */
  readonly strikes?: { readonly requests: number; readonly window: string } | undefined;
  /** How long the first ban lasts, the second, and so on. Default 1m, 10m, 1h, 24h. */
  readonly steps?: readonly string[] | undefined;
}

/** The limits that stand without a word of configuration. The first three count by address before authentication; `mail` counts by recipient. */
export const DEFAULT_LIMITS: Readonly<Record<string, LimitConfig>> = {
  address: { requests: 6_000, window: "1m" },
  login: { requests: 100, window: "1m" },
  register: { requests: 30, window: "1m" },
  anonymous: { requests: 600, window: "1m" },
  user: { requests: 1_200, window: "1m" },
  mail: { requests: 5, window: "1h" },
};

/** What may be configured besides: everybody together, a role, and the networks above an IPv6 address. */
const BESIDES = /^(global|role:[\w.-]{1,64}|(address|login|register)-(48|32))$/;

/** checkLimits adds a problem for each limit that is none. */
export function checkLimits(
  limits: Readonly<Record<string, LimitConfig>>,
  problems: string[],
): Readonly<Record<string, LimitConfig>> {
  for (const [name, limit] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name) && !BESIDES.test(name)) {
      const known = [...Object.keys(DEFAULT_LIMITS), "global", "role:NAME"].join(", ");
      problems.push(`limits: expected one of ${known}, came ${JSON.stringify(name)}`);
      continue;
    }
    const { requests } = limit;
    if (!Number.isSafeInteger(requests) || requests < 1) {
      problems.push(`limits.${name}: expected whole requests of at least 1, came ${requests}`);
      continue;
    }
    try {
      parseDuration(limit.window, `limits.${name}`);
      // The way to count, and its numbers, are read by whoever counts.
      new RateLimiter({ maxKeys: 1 }).decide([
        { policy: limitPolicy(`limits.${name}`, limit), key: "" },
      ]);
      checkFailure(name, limit);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return limits;
}

const FAILURES: readonly unknown[] = ["deny", "local", "insecureAllow", undefined];

function checkFailure(name: string, { onFailure }: LimitConfig): void {
  if (FAILURES.includes(onFailure)) return;
  throw new RangeError(
    `limits.${name}.onFailure: expected "deny", "local" or "insecureAllow", came ${JSON.stringify(onFailure)}`,
  );
}

/** checkBans adds a problem for what is no ban ladder. */
export function checkBans(bans: BanConfig | "off" | undefined, problems: string[]): void {
  if (bans === undefined || bans === "off") return;
  try {
    if (bans.strikes !== undefined) limitPolicy("bans.strikes", bans.strikes);
    for (const step of bans.steps ?? []) parseDuration(step, "bans.steps");
    if (bans.steps?.length === 0) problems.push("bans.steps: expected at least one, came none");
  } catch (error) {
    problems.push((error as Error).message);
  }
}

/** checkProcesses adds a problem for what is no number of processes. */
export function checkProcesses(processes: number | undefined, problems: string[]): void {
  if (processes === undefined) return;
  if (Number.isSafeInteger(processes) && processes >= 1 && processes <= 10_000) return;
  problems.push(`processes: expected a whole number from 1 to 10000, came ${processes}`);
}

/** Limits that guard secrets refuse where nobody counts. */
const DENYING: ReadonlySet<string> = new Set(["login", "register", "mail"]);
/** A /48 has 65,536 of our keys, and a /32 is a provider: what they may is a multiple of one key's. */
const WIDER = { "48": 4, "32": 16 } as const;
/** Requests of a limit that keeps each of them. */
const MAX_LOGGED = 10_000;

/** namedPolicies makes the policies of the configured limits, those of the networks above an IPv6 address among them. */
export function namedPolicies(
  limits: Readonly<Record<string, LimitConfig>>,
): Readonly<Record<string, LimitPolicy>> {
  const policies: Record<string, LimitPolicy> = {};
  for (const [name, limit] of Object.entries(limits)) {
    const onFailure =
      limit.onFailure ?? (DENYING.has(name.replace(/-\d+$/, "")) ? "deny" : "local");
    // Nobody who asks for mail is told of it.
    const isHidden = limit.isHidden ?? (name === "mail" ? true : undefined);
    policies[name] = limitPolicy(name, { ...limit, onFailure, isHidden });
  }
  for (const name of ["address", "login", "register"]) {
    const policy = policies[name];
    if (policy === undefined) continue;
    const most = policy.algorithm === "sliding-window-log" ? MAX_LOGGED : 1_000_000_000;
    for (const [bits, factor] of Object.entries(WIDER)) {
      // Who shares a network need not see how much of it is left.
      const wide = policies[`${name}-${bits}`] ?? {
        ...policy,
        requests: Math.min(policy.requests * factor, most),
        burst: undefined,
      };
      policies[`${name}-${bits}`] = { ...wide, name: `${name}-${bits}`, isHidden: true };
    }
  }
  return policies;
}
