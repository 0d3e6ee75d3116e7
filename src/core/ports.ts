import type { Awaitable } from "./awaitable.ts";
import type { Duration } from "./duration.ts";
import type { LimitPolicy } from "./limit-policy.ts";
import type { Principal } from "./principal.ts";
import type { HeaderSource } from "./read-header.ts";

export type { LimitAlgorithm, LimitFailure, LimitPolicy } from "./limit-policy.ts";

/** Transaction is what `database` hands to those who write in it; structural, so that ports need not know drizzle. */
export interface Transaction {
  execute(query: unknown): Promise<unknown>;
}

export type Severity = "low" | "medium" | "high" | "critical";
export type EventResult = "success" | "failure" | "blocked";

/** SecurityEvent: what happened. `type` is `<area>.<what>[.<outcome>]` and stable. */
export interface SecurityEvent {
  readonly type: string;
  readonly severity: Severity;
  readonly result: EventResult;
  /** The thing acted on: a path or `<kind>:<id>`. */
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  /** Facts of the event. Never a secret; at most 8 KiB as JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** EventContext: who and from where. A RequestContext is one. */
export interface EventContext extends HeaderSource {
  readonly requestId?: string | undefined;
  readonly address?: string | undefined;
  readonly principal?: Principal | undefined;
  readonly userId?: string | undefined;
}

/**
 * AuditSink records security events. With `tx` the record commits or rolls back with the change; without, it resolves
 * once durable. Rejects with a TypeError if it is called without `tx` inside an open transaction.
 */
export interface AuditSink {
  record(event: SecurityEvent, context: EventContext, tx?: Transaction): Promise<void>;
}

export interface LimitRequest {
  readonly policy: LimitPolicy;
  readonly key: string;
  /** A whole number of at least 0. Default 1. */
  readonly cost?: number;
  /** On a cluster, those that are decided together share it. Default: the key. */
  readonly tag?: string | undefined;
}

/** Where one policy stands after a decision. */
export interface LimitState {
  readonly policy: LimitPolicy;
  readonly remaining: number;
  /** Milliseconds until the limit is full again. */
  readonly resetMs: number;
  /** Whom it counts. */
  readonly key?: string | undefined;
}

/** Verdict on limits decided together: all were charged, or none was. */
export interface Verdict {
  readonly allowed: boolean;
  readonly retryAfterMs: number;
  readonly states: readonly LimitState[];
  /** Names of the policies that refused. */
  readonly violated: readonly string[];
}

/**
 * AddressBans keeps addresses out for a time; an IPv6 address stands for its /64. An address of a trusted proxy is never banned.
 * `isBanned` answers from memory, since every request asks.
 */
export interface AddressBans {
  ban(address: string, duration: Duration, reason: string): Promise<void>;
  lift(address: string): Promise<void>;
  isBanned(address: string): boolean;
}

/** Limiter decides all of `requests` or none; synchronous where it can be. Throws when it cannot know. */
export interface Limiter {
  decide(requests: readonly LimitRequest[]): Awaitable<Verdict>;
}

/**
 * StateStore keeps short-lived shared state. Losing an entry may only refuse, never permit. Each call is atomic.
 */
export interface StateStore {
  get(key: string): Promise<string | undefined>;
  /** set resolves to false when `when` did not hold. */
  set(key: string, value: string, ttl: Duration, when?: "absent" | "present"): Promise<boolean>;
  /** swap sets `next` only where `expected` stands. */
  swap(key: string, expected: string, next: string, ttl: Duration): Promise<boolean>;
  /** take reads and deletes in one step. */
  take(key: string): Promise<string | undefined>;
  /** increment adds `by` (default 1) unless the value would pass `atMost`; the first one sets the ttl. */
  increment(
    key: string,
    options: { readonly by?: number; readonly atMost?: number; readonly ttl: Duration },
  ): Promise<{ readonly value: number; readonly applied: boolean }>;
  delete(key: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
}

/** Log takes facts and a sentence. What it writes is redacted; secrets are not to be handed to it all the same. */
export interface Log {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string | undefined;
}

/** Mailer sends one mail, or rejects. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}
