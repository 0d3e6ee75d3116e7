/** How often the delay is read, and over what time it is averaged. */
const EVERY_MS = 100;
const MEAN_OVER_MS = 2_000;
/** What one reading counts at most, and what it is taken for at most, in thresholds: together less than one, so that no single stall sheds. */
const MOST_WEIGHT = 0.3;
const MOST_THRESHOLDS = 3;

export interface LoadMonitorOptions {
  /** Mean delay of the event loop above which requests are refused, in milliseconds; they are served again below half of it. */
  readonly thresholdMs: number;
  readonly onChange?: (isShedding: boolean, delayMs: number) => void;
}

/**
 * LoadMonitor tells when the process has more to do than it can: by how late a timer is, which is how long a request that comes now
 * would wait. The mean is by time, so that a loop which is blocked again and again is seen however few readings it leaves; one stall
 * alone, as of a machine that was suspended, never counts.
 */
export class LoadMonitor {
  /** Read by every request. */
  isShedding = false;
  readonly #options: LoadMonitorOptions;
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoadMonitorOptions) {
    this.#options = options;
  }

  /** The mean delay, in milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.observe(now - last - EVERY_MS, now - last);
      last = now;
    }, EVERY_MS).unref();
  }

  /** stop ends the readings; nothing is refused any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#delayMs = 0;
    this.isShedding = false;
  }

  /** observe takes one reading: how late it was, and how long after the one before. */
  observe(lateMs: number, elapsedMs: number): void {
    const { thresholdMs } = this.#options;
    const late = Math.min(Math.max(lateMs, 0), thresholdMs * MOST_THRESHOLDS);
    const weight = Math.min(1 - Math.exp(-elapsedMs / MEAN_OVER_MS), MOST_WEIGHT);
    this.#delayMs += (late - this.#delayMs) * weight;
    if (this.isShedding ? this.#delayMs < thresholdMs / 2 : this.#delayMs > thresholdMs) {
      this.isShedding = !this.isShedding;
      this.#options.onChange?.(this.isShedding, this.#delayMs);
    }
  }
}
