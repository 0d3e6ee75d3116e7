import type { LimitState } from "../core/index.ts";
import type { KeyedHash } from "./keyed-hash.ts";
import { type Charge, type Limit, ROUNDING_MS } from "./limit.ts";
import { networkOf } from "./network.ts";

/** Requests that are kept in all, for each key that may be. */
const ENTRIES_PER_KEY = 10;

/** One request, or several of one moment. */
interface Entry {
  readonly at: number;
  count: number;
}

interface Log {
  entries: Entry[];
  used: number;
  /** When the last of it is over. */
  until: number;
}

/**
 * MemoryLogs keeps sliding-window logs: every request of the last `windowMs`, so that no window of that length, wherever it begins,
 * holds more than the limit. It is bounded by keys and by requests in all; where it is full, a new key shares a log with its network.
 */
export class MemoryLogs {
  readonly #logs = new Map<string, Log>();
  readonly #shared = new Map<number, Log>();
  readonly #maxKeys: number;
  readonly #hash: KeyedHash;
  #entries = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;
  overflowed = 0;

  constructor(maxKeys: number, hash: KeyedHash) {
    this.#maxKeys = maxKeys;
    this.#hash = hash;
  }

  get size(): number {
    return this.#logs.size;
  }

  look(limit: Limit, key: string, cost: number, now: number, before?: Charge): LogCharge {
    const slot = `${limit.policy.name}\n${key}`;
    this.#hash.digest(limit.hash, key);
    const { low, high } = this.#hash;
    const own = this.#logs.get(slot);
    const isFull = own === undefined && !this.#hasRoom(now);
    const log = own ?? (isFull || this.#shared.size > 0 ? this.#sharedLog(limit, key) : undefined);
    if (log !== undefined) this.#dropOld(log, now - limit.windowMs);
    if (isFull) this.overflowed += 1;
    const charged = cost + (before instanceof LogCharge ? before.charged : 0);
    return new LogCharge({
      logs: this,
      limit,
      slot,
      key,
      low,
      high,
      log,
      cost,
      charged,
      now,
      isFull,
    });
  }

  write({ limit, slot, key, log: seen, cost, now, isFull }: LogLook): void {
    if (cost === 0) return;
    // What a key brings along from a shared log is copied, so that two keys do not write into one.
    let log = isFull ? seen : this.#logs.get(slot);
    if (log === undefined) {
      log = {
        entries: seen?.entries.map((entry) => ({ ...entry })) ?? [],
        used: seen?.used ?? 0,
        until: 0,
      };
      this.#entries += log.entries.length;
      if (isFull) this.#shared.set(this.#sharedIndex(limit, key), log);
      else this.#logs.set(slot, log);
    }
    const last = log.entries.at(-1);
    if (last !== undefined && last.at === now) last.count += cost;
    else {
      log.entries.push({ at: now, count: cost });
      this.#entries += 1;
    }
    log.used += cost;
    log.until = now + limit.windowMs;
  }

  forget(limit: Limit, key: string): void {
    const slot = `${limit.policy.name}\n${key}`;
    this.#entries -= this.#logs.get(slot)?.entries.length ?? 0;
    this.#logs.delete(slot);
  }

  #sharedIndex(limit: Limit, key: string): number {
    this.#hash.digest(limit.hash, networkOf(key));
    return this.#hash.low & 4_095;
  }

  #sharedLog = (limit: Limit, key: string): Log | undefined =>
    this.#shared.get(this.#sharedIndex(limit, key));

  #dropOld(log: Log, since: number): void {
    let gone = 0;
    for (const { at, count } of log.entries) {
      if (at > since) break;
      log.used -= count;
      gone += 1;
    }
    if (gone === 0) return;
    log.entries.splice(0, gone);
    this.#entries -= gone;
  }

  /** Logs of which all is over are dropped, at most once a second, so that a flood does not pay for a sweep per request. */
  #hasRoom(now: number): boolean {
    const room = (): boolean =>
      this.#logs.size < this.#maxKeys && this.#entries < this.#maxKeys * ENTRIES_PER_KEY + 1_000;
    if (room()) return true;
    if (now - this.#sweptAt >= 1_000 || now < this.#sweptAt) {
      this.#sweptAt = now;
      for (const logs of [this.#logs, this.#shared] as Map<unknown, Log>[]) {
        for (const [slot, log] of logs) {
          if (log.until > now) continue;
          this.#entries -= log.entries.length;
          logs.delete(slot);
        }
      }
    }
    return room();
  }
}

interface LogLook {
  readonly logs: MemoryLogs;
  readonly limit: Limit;
  readonly slot: string;
  readonly key: string;
  readonly low: number;
  readonly high: number;
  readonly log: Log | undefined;
  readonly cost: number;
  /** What the decision charges the key up to here, this one included. */
  readonly charged: number;
  readonly now: number;
  readonly isFull: boolean;
}

export class LogCharge implements Charge {
  readonly #look: LogLook;
  readonly #used: number;
  readonly waitMs: number;

  constructor(look: LogLook) {
    this.#look = look;
    this.#used = look.log?.used ?? 0;
    this.waitMs = waitOf(look);
  }

  get limit(): Limit {
    return this.#look.limit;
  }

  get low(): number {
    return this.#look.low;
  }

  get high(): number {
    return this.#look.high;
  }

  get charged(): number {
    return this.#look.charged;
  }

  apply(): void {
    this.#look.logs.write(this.#look);
  }

  stateAfter(outcome: "charged" | "refused"): LimitState {
    const { limit, key, log, charged, now } = this.#look;
    const { policy, requests, windowMs } = limit;
    const isCharged = outcome === "charged" && charged > 0;
    const used = this.#used + (isCharged ? charged : 0);
    const last = isCharged ? now : log?.entries.at(-1)?.at;
    const resetMs = last === undefined ? 0 : Math.max(0, last + windowMs - now);
    return { policy, remaining: Math.max(0, requests - used), resetMs, key };
  }
}

/** Milliseconds until enough of the log is over. */
function waitOf({ limit, log, charged, now }: LogLook): number {
  const { requests, windowMs } = limit;
  if (charged > requests) return windowMs;
  let excess = (log?.used ?? 0) + charged - requests;
  for (const { at, count } of log?.entries ?? []) {
    if (excess <= 0) return 0;
    excess -= count;
    if (excess <= 0) return Math.max(ROUNDING_MS * 2, at + windowMs - now);
  }
  return 0;
}
