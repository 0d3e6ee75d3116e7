import { createHmac } from "node:crypto";
import {
  type AuditSink,
  addressRanges,
  type Clock,
  type LimitPolicy,
  type Log,
  type SecurityEvent,
  type StateStore,
  UnavailableError,
} from "../core/index.ts";
import type { KeyRing } from "../crypto/index.ts";
import type { Metrics } from "../observability/index.ts";
import { BanLadder, MemoryConcurrency, RateLimiter } from "../rate-limit/index.ts";
import {
  forgetKeys,
  RedisBanDirectory,
  type RedisCommands,
  RedisConcurrency,
  RedisRateLimiter,
} from "../rate-limit/redis/index.ts";
import { isClusterUrl } from "../state/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { type LimitMetrics, limitMetrics } from "./limit-metrics.ts";
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

/** One key under all the limits that stand. */
interface LiftedKey {
  readonly key: string;
  readonly policies: readonly LimitPolicy[];
  /** What it is decided together with, beside itself. */
  readonly tag?: string | undefined;
}

export interface WiredLimiter {
  /** What the application decides by: in memory, or in Redis where one is configured. */
  readonly limiter: RateLimiter | RedisRateLimiter;
  /** The same, and the bans, with what they refuse counted. */
  readonly metered: LimitMetrics;
  readonly bans: BanLadder;
  /** lift forgets what was counted of a key, in all processes. Rejects with an UnavailableError only if Redis does not answer. */
  lift(lifted: LiftedKey): Promise<void>;
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
          isCluster: isClusterUrl(config.redisUrl ?? ""),
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
    ...(redis === undefined
      ? {}
      : { state: parts.state, directory: new RedisBanDirectory({ redis: redis.commands }) }),
    onBan: ({ network, ...ban }, by) => {
      const event = { type: "limits.ban", severity: "high", result: "blocked" } as const;
      const told = { ...event, resource: network, metadata: { ...ban } };
      if (by.principal === undefined) return record(told);
      return parts.audit.record(told, by);
    },
    // Somebody's doing: what cannot be recorded has not been done.
    onLift: (network, by) =>
      parts.audit.record(
        { type: "limits.ban.lift", severity: "medium", result: "success", resource: network },
        by,
      ),
  });
  const places =
    redis === undefined
      ? new MemoryConcurrency({ clock })
      : new RedisConcurrency({ redis: redis.commands });
  const lifts = new Lifts(limiter, redis?.commands, parts);
  return {
    limiter,
    metered: limitMetrics({ limiter, bans, places }, metrics),
    lift: (lifted) => lifts.lift(lifted),
    bans,
    partitionOf: partitions(parts.keys),
    async open() {
      await redis?.open();
      await bans.open();
      await lifts.open();
    },
    async close() {
      await lifts.close();
      await bans.close();
      await redis?.close();
    },
  };
}

const LIFTS = "limits:lifts";

/** Lifts forgets keys here, in Redis, and in every process that hears of it: each remembers for a while whom it refused. */
class Lifts {
  readonly #limiter: RateLimiter | RedisRateLimiter;
  readonly #redis: RedisCommands | undefined;
  readonly #state: StateStore;
  readonly #log: Log;
  #stop: (() => Promise<void>) | undefined;

  constructor(
    limiter: RateLimiter | RedisRateLimiter,
    redis: RedisCommands | undefined,
    { state, log }: LimiterParts,
  ) {
    this.#limiter = limiter;
    this.#redis = redis;
    this.#state = state;
    this.#log = log;
  }

  async open(): Promise<void> {
    if (this.#redis === undefined) return;
    this.#stop = await this.#state.subscribe(LIFTS, (message) => {
      const { key, tag } = JSON.parse(message) as Omit<LiftedKey, "policies">;
      this.#forget(key, tag).catch((err: unknown) => {
        this.#log.warn({ err }, "a limit was lifted elsewhere; here it holds for some seconds");
      });
    });
  }

  async close(): Promise<void> {
    await this.#stop?.();
  }

  async lift({ key, policies, tag }: LiftedKey): Promise<void> {
    try {
      await this.#forget(key, tag);
      if (this.#redis === undefined) return;
      // Limits that were not decided here since the start, too.
      for (const each of [undefined, tag]) {
        await forgetKeys(this.#redis, { policies, key, tag: each });
      }
      await this.#state.publish(LIFTS, JSON.stringify({ key, tag }));
    } catch (cause) {
      throw new UnavailableError("the store of the limits did not answer", { cause });
    }
  }

  async #forget(key: string, tag: string | undefined): Promise<void> {
    await this.#limiter.forget(key);
    if (tag !== undefined && this.#limiter instanceof RedisRateLimiter) {
      await this.#limiter.forget(key, tag);
    }
  }
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
