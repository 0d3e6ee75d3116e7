import { createHmac } from "node:crypto";
import {
  type AuditSink,
  addressRanges,
  type Clock,
  type Limiter,
  type Log,
  type SecurityEvent,
  type StateStore,
  type Verdict,
} from "../core/index.ts";
import type { KeyRing } from "../crypto/index.ts";
import type { Counter, Metrics } from "../observability/index.ts";
import { BanLadder, RateLimiter } from "../rate-limit/index.ts";
import { type RedisCommands, RedisRateLimiter } from "../rate-limit/redis/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { peer } from "./wire-database.ts";

interface LimiterParts {
  readonly config: ResolvedConfig;
  readonly trustedProxies: readonly string[] | undefined;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditSink;
  readonly metrics: Metrics;
  readonly keys: KeyRing;
}

export interface WiredLimiter {
  /** What the application decides by: in memory, or in Redis where one is configured. */
  readonly limiter: RateLimiter | RedisRateLimiter;
  /** The same, with what it refuses counted. */
  readonly metered: Limiter;
  readonly bans: BanLadder;
  readonly partitionOf: (key: string) => string;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** wireLimiter makes the limiter of an application, and the bans that follow from its refusals. */
export function wireLimiter(parts: LimiterParts): WiredLimiter {
  const { config, clock, log, metrics } = parts;
  const record = recorder(parts);
  const redis = config.redisUrl === undefined ? undefined : wireScripts(config, log);
  const limiter =
    redis === undefined
      ? new RateLimiter({ clock })
      : new RedisRateLimiter({
          redis: redis.commands,
          processes: config.processes,
          clock,
          onChange: (state, cause) => tellStore(state, cause, { log, record }),
        });
  const isExempt = addressRanges(parts.trustedProxies ?? [], "trustedProxies");
  const { bans: ladder } = config;
  const bans = new BanLadder({
    ...(ladder === "off" ? {} : ladder),
    clock,
    log,
    isExempt,
    ...(config.redisUrl === undefined ? {} : { state: parts.state }),
    onBan: ({ network, ...ban }) =>
      record({
        type: "limits.ban",
        severity: "high",
        result: "blocked",
        resource: network,
        metadata: { ...ban },
      }),
    onLift: (network) =>
      record({ type: "limits.ban.lift", severity: "medium", result: "success", resource: network }),
  });
  gauges(limiter, bans, metrics);
  return {
    limiter,
    metered: { decide: counting(limiter, metrics) },
    bans,
    partitionOf: partitions(parts.keys),
    async open() {
      await redis?.open();
      await bans.open();
    },
    async close() {
      await bans.close();
      await redis?.close();
    },
  };
}

/** An event of the limits has nobody behind it; what cannot be recorded is logged. */
function recorder({ audit, log }: LimiterParts): (event: SecurityEvent) => void {
  return (event) => {
    audit.record(event, {}).catch((err: unknown) => {
      log.error({ err, type: event.type }, "an event of the limits could not be recorded");
    });
  };
}

function tellStore(
  state: "open" | "closed",
  cause: unknown,
  to: { readonly log: Log; readonly record: (event: SecurityEvent) => void },
): void {
  if (state === "open") {
    to.log.error({ err: cause }, "the limits are decided without Redis");
    to.record({ type: "limits.store.lost", severity: "high", result: "failure" });
  } else {
    to.log.info({}, "the limits are decided in Redis again");
    to.record({ type: "limits.store.back", severity: "low", result: "success" });
  }
}

/** The driver is loaded at the first call. */
function wireScripts(
  { redisUrl = "", mode }: ResolvedConfig,
  log: Log,
): { readonly commands: RedisCommands; open(): Promise<void>; close(): Promise<void> } {
  const load = async () => {
    const { RedisScripts } = await peer(() => import("../state/redis.ts"), "ioredis");
    return new RedisScripts({ url: redisUrl, production: mode === "production", log });
  };
  let loading: ReturnType<typeof load> | undefined;
  const scripts = (): ReturnType<typeof load> => {
    loading ??= load();
    return loading;
  };
  return {
    commands: {
      evalsha: async (...args) => (await scripts()).evalsha(...args),
      eval: async (...args) => (await scripts()).eval(...args),
    },
    async open() {
      await (await scripts()).open().catch((err: unknown) => {
        log.warn({ err }, "the limits begin without Redis");
      });
    },
    async close() {
      const loaded = await loading?.catch(() => undefined);
      await loaded?.close();
    },
  };
}

/** counting counts what each limit refused. */
function counting(limiter: Limiter, metrics: Metrics): Limiter["decide"] {
  const counters = new Map<string, Counter>();
  const count = (verdict: Verdict): Verdict => {
    for (const name of verdict.violated) {
      // The limits of keys are named by whoever makes keys: they share one series.
      const policy = name.startsWith("key:") ? "key" : name;
      let counter = counters.get(policy);
      if (counter === undefined) {
        const help = "Requests refused by a limit.";
        counter = metrics.counter("bulwark_rate_limit_refusals_total", help, { policy });
        counters.set(policy, counter);
      }
      counter.add();
    }
    return verdict;
  };
  return (requests) => {
    const verdict = limiter.decide(requests);
    return verdict instanceof Promise ? verdict.then(count) : count(verdict);
  };
}

function gauges(limiter: RateLimiter | RedisRateLimiter, bans: BanLadder, metrics: Metrics): void {
  metrics.gauge("bulwark_rate_limit_bans", "Addresses banned now.", () => bans.size);
  if (limiter instanceof RateLimiter) {
    metrics.gauge("bulwark_rate_limit_keys", "Keys in the limiter's tables.", () => limiter.size);
    metrics.gauge(
      "bulwark_rate_limit_overflowed",
      "Requests counted in a shared place because a table was full.",
      () => limiter.overflowed,
    );
    return;
  }
  metrics.gauge(
    "bulwark_rate_limit_denied_keys",
    "Keys refused from memory.",
    () => limiter.denied,
  );
  metrics.gauge(
    "bulwark_rate_limit_store_failures",
    "Decisions that the limits' store did not make.",
    () => limiter.failed,
  );
  metrics.gauge(
    "bulwark_rate_limit_store_lost",
    "Whether the limits' store is given up: 1 or 0.",
    () => (limiter.isOpen ? 1 : 0),
  );
}

const MAX_PARTITIONS = 10_000;

/** partitions tells whom a limit counts by a keyed hash, alike in every process: 96 bits of it, remembered for those who come often. */
function partitions(keys: KeyRing): (key: string) => string {
  const known = new Map<string, string>();
  return (key) => {
    let partition = known.get(key);
    if (partition === undefined) {
      const [{ bytes }] = keys.derive("limit partition");
      const digest = createHmac("sha256", bytes).update(key).digest();
      partition = digest.subarray(0, 12).toString("base64");
      if (known.size >= MAX_PARTITIONS) known.clear();
      known.set(key, partition);
    }
    return partition;
  };
}
