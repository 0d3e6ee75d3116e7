import {
  type AuditSink,
  addressKey,
  type Clock,
  ConflictError,
  canonicalAddress,
  type EventContext,
  type LimitAlgorithm,
  type LimitFailure,
  networkTag,
  parseDuration,
  ValidationError,
} from "../core/index.ts";
import type { BanPage, ConcurrencyLimiter } from "../rate-limit/index.ts";
import type { ResolvedConfig } from "./config.ts";
import type { LimitFigures } from "./limit-metrics.ts";
import type { WiredLimiter } from "./wire-limiter.ts";
import type { StandingLimit, WiredLimits } from "./wire-rate-limit.ts";

/** One limit that stands. */
export interface LimitView {
  readonly name: string;
  readonly requests: number;
  readonly windowMs: number;
  readonly algorithm: LimitAlgorithm;
  /** Requests at once, of a bucket; null of a window. */
  readonly burst: number | null;
  readonly onFailure: LimitFailure;
  /** Whom it counts. */
  readonly counts: string;
  /** Whether no header tells of it. */
  readonly isHidden: boolean;
}

/** What limits stand, where they are kept, and what they decided in this process since it started. */
export interface LimitOverview extends LimitFigures {
  readonly limits: readonly LimitView[];
  readonly bans: "on" | "off";
}

/** A ban by hand. */
export interface NewBan {
  /** An IP address; one of IPv6 stands for its /64. */
  readonly address: string;
  /** A duration such as `1h`. */
  readonly duration: string;
  readonly reason: string;
}

/** Whose limits are lifted: an address with its ban and what led to it, or a key as limits count it. */
export type LiftTarget = { readonly address: string } | { readonly key: string };

/** What was lifted. */
export interface Lifted {
  /** The key as limits count it. */
  readonly key: string;
  /** Whether it was banned, as far as this process knew. */
  readonly wasBanned: boolean;
}

/** LimitOperations shows what limits stand and whom they keep out, and lifts what an operator wants lifted. */
export interface LimitOperations {
  /** Gives out the places of withConcurrencyLimit: in memory, or in Redis where one is configured. */
  readonly places: ConcurrencyLimiter;
  overview(): LimitOverview;
  /** bans is a page of those that stand, the longest first. Rejects with an UnavailableError only if a shared store does not answer. */
  bans(query: { readonly page: number; readonly limit: number }): Promise<BanPage>;
  /**
   * ban keeps an address out for a time, in all processes, and is recorded as `limits.ban`. Rejects with a ValidationError where the
   * address or the time is none, and with a ConflictError where bans are off, or the address is a trusted proxy.
   */
  ban(ban: NewBan, by: EventContext): Promise<void>;
  /**
   * lift ends what keeps somebody out, in all processes: of an address its ban and its limits, of a key its limits. It is recorded as
   * `limits.ban.lift` or `limits.lift`. Rejects with a ValidationError where the address is none, and with an UnavailableError where
   * the shared store does not answer: it then holds in this process alone.
   */
  lift(target: LiftTarget, by: EventContext): Promise<Lifted>;
}

interface OperationParts {
  readonly wired: WiredLimiter;
  readonly limits: WiredLimits;
  readonly config: ResolvedConfig;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** limitOperations makes the operations of one application's limits. */
export function limitOperations(parts: OperationParts): LimitOperations {
  const { wired, audit, clock } = parts;
  const standing = (): readonly StandingLimit[] => parts.limits.standing();
  const since = new Date(clock.now()).toISOString();
  return {
    places: wired.metered.places,
    overview: () => ({
      limits: standing().map(viewOf),
      bans: parts.config.bans === "off" ? "off" : "on",
      ...wired.metered.figures(since),
    }),
    bans: ({ page, limit }) => wired.bans.list({ offset: (page - 1) * limit, limit }),
    async ban({ address: given, duration, reason }, by) {
      const address = addressOf(given);
      checkDuration(duration);
      if (parts.config.bans === "off") throw new ConflictError("Bans are switched off.");
      await wired.bans.ban(address, duration, reason, by);
      if (!wired.bans.isBanned(address)) throw new ConflictError("This address is never banned.");
    },
    async lift(target, by) {
      const policies = standing().map(({ policy }) => policy);
      if ("key" in target) {
        const { key } = target;
        await wired.lift({ key, policies });
        const event = { type: "limits.lift", severity: "medium", result: "success" } as const;
        await audit.record({ ...event, resource: `limit:${key}` }, by);
        return { key, wasBanned: false };
      }
      const address = addressOf(target.address);
      const key = addressKey({ address });
      const wasBanned = wired.bans.isBanned(address);
      await wired.lift({ key, policies, tag: networkTag(address) });
      await wired.bans.lift(address, by);
      return { key, wasBanned };
    },
  };
}

/** An address, or the network that a ban is shown as: `2001:db8:1:2::/64`. */
function addressOf(text: string): string {
  const address = canonicalAddress(text.replace(/::\/64$/, "::"));
  if (address !== undefined) return address;
  throw new ValidationError([
    { field: "address", message: "Expected an IP address.", code: "invalid_address" },
  ]);
}

function checkDuration(text: string): void {
  try {
    parseDuration(text, "duration");
  } catch (error) {
    const { message } = error as Error;
    throw new ValidationError([{ field: "duration", message, code: "invalid_duration" }]);
  }
}

function viewOf({ policy, counts }: StandingLimit): LimitView {
  const { name, requests, windowMs, algorithm = "token-bucket", burst, onFailure } = policy;
  const isBucket = algorithm === "token-bucket" || algorithm === "gcra";
  return {
    name,
    requests,
    windowMs,
    algorithm,
    burst: isBucket ? (burst ?? requests) : null,
    onFailure: onFailure ?? "local",
    counts,
    isHidden: policy.isHidden === true,
  };
}
