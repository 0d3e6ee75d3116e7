import { UnavailableError } from "../../core/index.ts";

export interface HashQueueOptions {
  /** Hashes at once. Default: the thread pool's size less 2 (UV_THREADPOOL_SIZE, 4 where unset), at least 1. */
  readonly concurrency?: number | undefined;
  /** Hashes waiting or running. Default 256. */
  readonly places?: number | undefined;
  /** Share of the places that one address may hold. Default 0.25. */
  readonly addressShare?: number | undefined;
  /** Share of the places that only known devices may take. Default 0.25. */
  readonly knownDeviceShare?: number | undefined;
}

/** Who asks for a hash. */
export interface HashCaller {
  /** The client's address; without one, no share is counted. */
  readonly address?: string | undefined;
  /** True only where a known device was proved: it has places that strangers cannot take. Default false. */
  readonly knownDevice?: boolean | undefined;
}

/**
 * HashQueue keeps password hashing from taking the machine: few run at once, a bounded number wait, one address holds only
 * a share of the places, and a share is kept for known devices, so that a flood of strangers does not keep them out.
 * Beyond that `run` rejects with an UnavailableError before any work.
 */
export class HashQueue {
  readonly #concurrency: number;
  readonly #places: number;
  readonly #strangers: number;
  readonly #perAddress: number;
  readonly #held = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #taken = 0;

  constructor(options: HashQueueOptions = {}) {
    const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4) || 4;
    this.#concurrency = options.concurrency ?? Math.max(1, threads - 2);
    this.#places = options.places ?? 256;
    this.#strangers = this.#places - Math.floor(this.#places * (options.knownDeviceShare ?? 0.25));
    this.#perAddress = Math.max(1, Math.floor(this.#places * (options.addressShare ?? 0.25)));
  }

  /** Places taken now. */
  get depth(): number {
    return this.#taken;
  }

  /**
   * run does the work when its turn comes. `from` is an address, or who asks. Throws what the work throws, and an
   * UnavailableError (`Retry-After` 2 s) only if there is no place for this caller.
   */
  async run<T>(work: () => Promise<T>, from?: string | HashCaller): Promise<T> {
    const { address, knownDevice = false } =
      typeof from === "string" ? { address: from } : (from ?? {});
    // A known device behind the address of a flood has a share of its own there.
    const holder =
      address === undefined ? undefined : `${knownDevice ? "known" : "any"} ${address}`;
    const held = holder === undefined ? 0 : (this.#held.get(holder) ?? 0);
    const places = knownDevice ? this.#places : this.#strangers;
    if (this.#taken >= places || held >= this.#perAddress) {
      throw new UnavailableError("the password queue is full", { retryAfter: 2 });
    }
    this.#taken += 1;
    if (holder !== undefined) this.#held.set(holder, held + 1);
    try {
      return await this.#inTurn(work);
    } finally {
      this.#taken -= 1;
      if (holder !== undefined) this.#release(holder);
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The turn is handed on, so that nobody who asks just now takes it as well.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #release(holder: string): void {
    const held = (this.#held.get(holder) ?? 1) - 1;
    if (held === 0) this.#held.delete(holder);
    else this.#held.set(holder, held);
  }
}
