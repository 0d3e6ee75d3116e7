export interface RefusalThrottleOptions {
  /** Full rows of one kind in a window, before they are counted in one. */
  readonly rows: number;
  readonly windowMs: number;
}

const MAX_KINDS = 10_000;

/** RefusalThrottle decides which refusals get a row of their own, and which are counted in a shared one. */
export class RefusalThrottle {
  readonly #options: RefusalThrottleOptions;
  #window = -1;
  #seen = new Map<string, number>();

  constructor(options: RefusalThrottleOptions) {
    this.#options = options;
  }

  /** bucketOf returns the name of the shared row, or undefined for a row of its own. */
  bucketOf(kind: readonly (string | undefined)[], now: number): string | undefined {
    const window = Math.floor(now / this.#options.windowMs);
    if (window !== this.#window) {
      this.#window = window;
      this.#seen = new Map();
    }
    const name = JSON.stringify(kind.map((part) => part ?? null));
    const count = (this.#seen.get(name) ?? 0) + 1;
    if (this.#seen.size >= MAX_KINDS && count === 1) return `${window} overflow`;
    this.#seen.set(name, count);
    return count <= this.#options.rows ? undefined : `${window} ${name}`.slice(0, 512);
  }
}
