import {
  type Clock,
  type Duration,
  type Log,
  parseDuration,
  type StateStore,
  systemClock,
  UnavailableError,
} from "../core/index.ts";
import { type IncrementOptions, incrementOf, notACounter } from "./increment.ts";
import { Listeners } from "./listeners.ts";

export interface MemoryStateOptions {
  readonly clock?: Clock | undefined;
  /** Keys kept at once. Default 100,000. */
  readonly maxKeys?: number | undefined;
  /** Hears of listeners that throw. Default none. */
  readonly log?: Log | undefined;
}

interface Entry {
  readonly value: string;
  readonly expiresAt: number;
}

/**
 * MemoryState is a StateStore in the memory of one process: each call runs to its end before the next begins, entries expire
 * by the clock, and a restart forgets all of them. It is for one process; several need `state/redis`.
 *
 * The table is bounded, and what is full refuses. An entry may be a spent token, a revocation mark or a counter at its limit:
 * to forget it for the sake of a new one would permit what it forbids, and whoever can write keys could choose the moment. So
 * a new key that finds no room rejects with an UnavailableError, while keys that stand are still read, changed and deleted.
 */
export class MemoryState implements StateStore {
  readonly #clock: Clock;
  readonly #maxKeys: number;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners: Listeners;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: MemoryStateOptions = {}) {
    const { clock = systemClock, maxKeys = 100_000, log } = options;
    if (!Number.isSafeInteger(maxKeys) || maxKeys < 1) {
      throw new RangeError(`maxKeys: expected a whole number from 1, came ${maxKeys}`);
    }
    this.#clock = clock;
    this.#maxKeys = maxKeys;
    this.#listeners = new Listeners(log);
  }

  /** Keys in the table now, those included that have expired and were not swept yet. */
  get size(): number {
    return this.#entries.size;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#read(key)?.value;
  }

  async set(
    key: string,
    value: string,
    ttl: Duration,
    when?: "absent" | "present",
  ): Promise<boolean> {
    const ttlMs = parseDuration(ttl, "ttl");
    const present = this.#read(key) !== undefined;
    if (when !== undefined && present !== (when === "present")) return false;
    this.#write(key, value, this.#clock.now() + ttlMs);
    return true;
  }

  async swap(key: string, expected: string, next: string, ttl: Duration): Promise<boolean> {
    const ttlMs = parseDuration(ttl, "ttl");
    if (this.#read(key)?.value !== expected) return false;
    this.#write(key, next, this.#clock.now() + ttlMs);
    return true;
  }

  async take(key: string): Promise<string | undefined> {
    const value = this.#read(key)?.value;
    this.#entries.delete(key);
    return value;
  }

  async increment(
    key: string,
    options: IncrementOptions,
  ): Promise<{ readonly value: number; readonly applied: boolean }> {
    const { by, atMost, ttlMs } = incrementOf(options);
    const entry = this.#read(key);
    if (entry !== undefined && !/^\d{1,16}$/.test(entry.value)) throw notACounter(key);
    const current = Number(entry?.value ?? 0);
    if (current + by > atMost) return { value: current, applied: false };
    this.#write(key, String(current + by), entry?.expiresAt ?? this.#clock.now() + ttlMs);
    return { value: current + by, applied: true };
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async publish(channel: string, message: string): Promise<void> {
    // Like a message over the network: never heard in the middle of what its sender is doing.
    await Promise.resolve();
    this.#listeners.deliver(channel, message);
  }

  async subscribe(
    channel: string,
    listener: (message: string) => void,
  ): Promise<() => Promise<void>> {
    const remove = this.#listeners.add(channel, listener);
    return async () => remove();
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #write(key: string, value: string, expiresAt: number): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#maxKeys && !this.#makeRoom()) {
      throw new UnavailableError(`the state in memory holds its ${this.#maxKeys} keys`);
    }
    this.#entries.set(key, { value, expiresAt });
  }

  /** What has expired is dropped, at most once a second, so that a flood does not pay for a sweep per call. */
  #makeRoom(): boolean {
    const now = this.#clock.now();
    if (now - this.#sweptAt >= 1_000 || now < this.#sweptAt) {
      this.#sweptAt = now;
      for (const [key, { expiresAt }] of this.#entries) {
        if (expiresAt <= now) this.#entries.delete(key);
      }
    }
    return this.#entries.size < this.#maxKeys;
  }
}
