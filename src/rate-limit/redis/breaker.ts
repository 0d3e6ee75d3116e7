import type { Clock } from "../../core/index.ts";

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row after which nothing is sent for a while. */
  readonly failures: number;
  /** Milliseconds until one attempt is made again. */
  readonly pauseMs: number;
  /** Told once when the store is given up, and once when it answers again. */
  readonly onChange: (state: "open" | "closed", cause: unknown) => void;
}

/** Breaker keeps a store that does not answer from being asked by everyone: past some failures, one asks now and then. */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #isOpen = false;
  #retryAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** mayAsk is false while the store is given up, but for the one that is to find out. */
  mayAsk(): boolean {
    if (!this.#isOpen) return true;
    const { clock, pauseMs } = this.#options;
    const now = clock.now();
    // A clock that was set back must not keep the store from being asked.
    if (now < this.#retryAt && this.#retryAt - now <= pauseMs) return false;
    this.#retryAt = now + pauseMs;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.onChange("closed", undefined);
  }

  failed(cause: unknown): void {
    this.#failures += 1;
    const { clock, failures, pauseMs, onChange } = this.#options;
    if (this.#failures < failures) return;
    this.#retryAt = clock.now() + pauseMs;
    if (this.#isOpen) return;
    this.#isOpen = true;
    onChange("open", cause);
  }
}
