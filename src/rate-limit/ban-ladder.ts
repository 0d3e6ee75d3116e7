import {
  type AddressBans,
  type Clock,
  type Duration,
  type EventContext,
  type Log,
  limitAddress,
  limitPolicy,
  parseDuration,
  type RefusedAddresses,
  type StateStore,
  systemClock,
} from "../core/index.ts";
import { type BanDirectory, type BanPage, banPage, type StandingBan } from "./ban-directory.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** A ban that was made. */
export interface Ban {
  /** The address, or the /64 of it. */
  readonly network: string;
  readonly durationMs: number;
  /** Which one it is in a row, from 1. */
  readonly step: number;
  readonly reason: string;
}

export interface BanLadderOptions {
  readonly clock?: Clock | undefined;
  /** Refusals by a limit after which an address is banned. Default 1,000 in 10m. */
  readonly strikes?: { readonly requests: number; readonly window: Duration } | undefined;
  /** How long the first ban lasts, the second, and so on; the last one repeats. Default 1m, 10m, 1h, 24h. */
  readonly steps?: readonly Duration[] | undefined;
  /** How long after a ban the next one is still a step higher. Default 24h. */
  readonly memory?: Duration | undefined;
  /** Addresses that are never banned: those of our own proxies. Default none. */
  readonly isExempt?: ((address: string) => boolean) | undefined;
  /** Where other processes hear of a ban, and find it after a restart. Default: this process alone. */
  readonly state?: StateStore | undefined;
  /** Where the bans of all processes are listed, and learned at the start. Default: this process's own. */
  readonly directory?: BanDirectory | undefined;
  /** Told of each ban that was made here, and by whom where it was by hand; that one waits for it. Default nothing. */
  readonly onBan?: ((ban: Ban, by: EventContext) => Promise<void> | void) | undefined;
  /** Told of each lift that was made here, and by whom; the lift waits for it. Default nothing. */
  readonly onLift?: ((network: string, by: EventContext) => Promise<void> | void) | undefined;
  readonly log?: Log | undefined;
}

/** A ban as it is kept and sent. */
type Kept = Omit<StandingBan, "network">;

const MAX_BANS = 10_000;
const CHANNEL = "limits:bans";
/** Bans that are read at once at the start. */
const PAGE = 1_000;

/**
 * BanLadder keeps those out who go on asking after they were refused: past `strikes` refusals by a limit an address is banned for a
 * minute, then for ten, an hour, a day. Only refusals by a limit count, so that a wrong password alone bans nobody.
 *
 * Who is banned is known in memory, at most 10,000 at once; past that the limits themselves still hold. With a state store, other
 * processes hear of a ban at once, and look for one when an address is refused that they do not know.
 */
export class BanLadder implements AddressBans, RefusedAddresses {
  readonly #clock: Clock;
  readonly #bans = new Map<string, Kept>();
  readonly #limiter: RateLimiter;
  readonly #strikes;
  readonly #look = limitPolicy("look", { requests: 1, window: "1m" });
  readonly #steps: readonly number[];
  readonly #memoryMs: number;
  readonly #options: BanLadderOptions;
  #stop: (() => Promise<void>) | undefined;

  constructor(options: BanLadderOptions = {}) {
    const { clock = systemClock, steps = ["1m", "10m", "1h", "24h"], memory = "24h" } = options;
    this.#clock = clock;
    this.#limiter = new RateLimiter({ clock, maxKeys: MAX_BANS });
    this.#strikes = limitPolicy("strikes", options.strikes ?? { requests: 1_000, window: "10m" });
    this.#steps = steps.map((step) => parseDuration(step, "steps"));
    if (steps.length === 0) throw new RangeError("steps: expected at least one, came none");
    this.#memoryMs = parseDuration(memory, "memory");
    this.#options = options;
  }

  /** Addresses that are banned now. */
  get size(): number {
    const now = this.#clock.now();
    return [...this.#bans.values()].filter(({ until }) => until > now).length;
  }

  /** open hears from now on what other processes ban, and learns what they have banned. */
  async open(): Promise<void> {
    this.#stop = await this.#options.state?.subscribe(CHANNEL, (message) => this.#hear(message));
    try {
      await this.#learn();
    } catch (err) {
      this.#options.log?.warn({ err }, "which addresses others banned is not known yet");
    }
  }

  async close(): Promise<void> {
    await this.#stop?.();
  }

  isBanned(address: string): boolean {
    return this.bannedFor(address) > 0;
  }

  bannedFor(address: string | undefined): number {
    if (address === undefined || this.#bans.size === 0) return 0;
    const kept = this.#bans.get(limitAddress(address));
    if (kept === undefined || this.#isExempt(address)) return 0;
    return Math.max(0, kept.until - this.#clock.now());
  }

  refused(address: string | undefined): void {
    if (address === undefined || this.#isExempt(address)) return;
    const key = limitAddress(address);
    if (!this.#limiter.decide([{ policy: this.#strikes, key }]).allowed) {
      this.#limiter.forget(key);
      void this.#climb(key);
    } else if (this.#options.state !== undefined && !this.#bans.has(key)) {
      if (this.#limiter.decide([{ policy: this.#look, key }]).allowed) void this.#find(key);
    }
  }

  async ban(
    address: string,
    duration: Duration,
    reason: string,
    by: EventContext = {},
  ): Promise<void> {
    if (this.#isExempt(address)) return;
    const network = limitAddress(address);
    const step = (this.#bans.get(network)?.step ?? 0) + 1;
    await this.#make({ network, durationMs: parseDuration(duration), step, reason }, by);
  }

  /** list is a page of the bans that stand, of all processes where they share a store. Rejects only if that does not answer. */
  async list(query: { readonly offset: number; readonly limit: number }): Promise<BanPage> {
    const now = this.#clock.now();
    const { directory } = this.#options;
    if (directory !== undefined) return directory.page({ ...query, now });
    const own = [...this.#bans].map(([network, kept]) => ({ network, ...kept }));
    return banPage(own, { ...query, now });
  }

  /** lift ends a ban everywhere and forgets what led to it. It rejects if the shared store does not answer: it then holds here alone. */
  async lift(address: string, by: EventContext = {}): Promise<void> {
    const network = limitAddress(address);
    this.#bans.delete(network);
    this.#limiter.forget(network);
    const { state, directory, onLift } = this.#options;
    await state?.delete(keyOf(network));
    await directory?.remove(network);
    await state?.publish(CHANNEL, JSON.stringify({ network }));
    await onLift?.(network, by);
  }

  readonly #isExempt = (address: string): boolean => this.#options.isExempt?.(address) === true;

  async #climb(network: string): Promise<void> {
    await this.#find(network);
    const before = this.#bans.get(network);
    const now = this.#clock.now();
    if (before !== undefined && before.until > now) return;
    const isRemembered = before !== undefined && now - before.until < this.#memoryMs;
    const step = isRemembered ? before.step + 1 : 1;
    const durationMs = this.#steps[Math.min(step, this.#steps.length) - 1] as number;
    await this.#make({ network, durationMs, step, reason: "refused too often" });
  }

  async #make(ban: Ban, by: EventContext = {}): Promise<void> {
    const { network, durationMs, step, reason } = ban;
    const now = this.#clock.now();
    const kept = { until: now + durationMs, step, reason };
    this.#keep(network, kept);
    try {
      const ttl = `${durationMs + this.#memoryMs}ms`;
      await this.#options.state?.set(keyOf(network), JSON.stringify(kept), ttl);
      await this.#options.directory?.put({ network, ...kept }, now);
      await this.#options.state?.publish(CHANNEL, JSON.stringify({ network, ...kept }));
    } catch (err) {
      // It holds here all the same, and the limits hold everywhere.
      this.#options.log?.warn({ err, network }, "a ban is known to this process alone");
    }
    await this.#options.onBan?.(ban, by);
  }

  async #find(network: string): Promise<void> {
    try {
      const text = await this.#options.state?.get(keyOf(network));
      if (text !== undefined) this.#hear(JSON.stringify({ network, ...JSON.parse(text) }));
    } catch (err) {
      this.#options.log?.warn({ err, network }, "whether others banned an address is not known");
    }
  }

  #hear(message: string): void {
    const { network, until, step, reason } = JSON.parse(message) as Partial<StandingBan>;
    if (typeof network !== "string") return;
    if (typeof until !== "number" || typeof step !== "number") {
      // What led to it is forgotten too, so that the next refusal does not ban again.
      this.#limiter.forget(network);
      this.#bans.delete(network);
    } else if ((this.#bans.get(network)?.until ?? 0) < until) {
      this.#keep(network, { until, step, reason: String(reason ?? "") });
    }
  }

  async #learn(): Promise<void> {
    const { directory } = this.#options;
    if (directory === undefined) return;
    for (let offset = 0; offset < MAX_BANS; offset += PAGE) {
      const { bans } = await directory.page({ offset, limit: PAGE, now: this.#clock.now() });
      for (const { network, ...kept } of bans) {
        if ((this.#bans.get(network)?.until ?? 0) < kept.until) this.#keep(network, kept);
      }
      if (bans.length < PAGE) return;
    }
  }

  #keep(network: string, kept: Kept): void {
    if (this.#bans.size >= MAX_BANS && !this.#bans.has(network)) {
      const over = this.#clock.now() - this.#memoryMs;
      for (const [known, { until }] of this.#bans) if (until < over) this.#bans.delete(known);
      // A ban that cannot be kept is no permission: the limits refuse the same address.
      if (this.#bans.size >= MAX_BANS) return;
    }
    this.#bans.set(network, kept);
  }
}

const keyOf = (network: string): string => `ban:${network}`;
