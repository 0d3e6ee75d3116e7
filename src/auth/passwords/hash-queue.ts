import { UnavailableError } from "../../core/index.ts";

export interface HashQueueOptions {
  /** Hashes at once. Default: the thread pool's size less 2 (UV_THREADPOOL_SIZE, 4 where unset), at least 1. */
  readonly concurrency?: number | undefined;
  /** Hashes waiting or running. Default 256. */
  readonly places?: number | undefined;
  /** Share of the places that one address may hold. Default 0.25. */
  readonly addressShare?: number | undefined;
}

/**
 * HashQueue keeps password hashing from taking the machine: few run at once, a bounded number wait, and one address
 * holds only a share of the places. Beyond that `run` rejects with an UnavailableError before any work.
 */
export class HashQueue {
  readonly #concurrency: number;
  readonly #places: number;
  readonly #perAddress: number;
  readonly #held = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #taken = 0;

  constructor(options: HashQueueOptions = {}) {
    const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4) || 4;
    this.#concurrency = options.concurrency ?? Math.max(1, threads - 2);
    this.#places = options.places ?? 256;
    this.#perAddress = Math.max(1, Math.floor(this.#places * (options.addressShare ?? 0.25)));
  }

  /** Places taken now. */
  get depth(): number {
    return this.#taken;
  }

  async run<T>(work: () => Promise<T>, address?: string): Promise<T> {
    const held = address === undefined ? 0 : (this.#held.get(address) ?? 0);
    if (this.#taken >= this.#places || held >= this.#perAddress) {
      throw new UnavailableError("the password queue is full", { retryAfter: 2 });
    }
    this.#taken += 1;
    if (address !== undefined) this.#held.set(address, held + 1);
    try {
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
    } finally {
      this.#taken -= 1;
      if (address !== undefined) this.#release(address);
    }
  }

  #release(address: string): void {
    const held = (this.#held.get(address) ?? 1) - 1;
    if (held === 0) this.#held.delete(address);
    else this.#held.set(address, held);
  }
}
