/** Somebody who is waited for. `touch` says that something came. */
export interface Watched {
  touch(): void;
  end(): void;
}

/** How often within its time a watch looks: whoever stalls is noticed a tenth of the time late at most. */
const LOOKS = 10;

/** StallWatch ends waits in which nothing came for a time: one timer for all of them, which stands still while nobody waits. */
export class StallWatch {
  readonly #everyMs: number;
  readonly #onEach: () => void;
  readonly #waits = new Set<Wait>();
  #timer: NodeJS.Timeout | undefined;

  /** `onEach` hears of every stall. */
  constructor(timeoutMs: number, onEach: () => void = () => {}) {
    this.#everyMs = timeoutMs / LOOKS;
    this.#onEach = onEach;
  }

  /** watch calls `onStall` once, if nothing was touched for the whole time before the end. */
  watch(onStall: () => void): Watched {
    const wait = new Wait(this.#waits, onStall);
    this.#waits.add(wait);
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
    return wait;
  }

  #look(): void {
    if (this.#waits.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const wait of this.#waits) {
      wait.looks += 1;
      if (wait.looks <= LOOKS) continue;
      this.#onEach();
      wait.stall();
    }
  }
}

class Wait implements Watched {
  looks = 0;
  readonly #waits: Set<Wait>;
  readonly #onStall: () => void;

  constructor(waits: Set<Wait>, onStall: () => void) {
    this.#waits = waits;
    this.#onStall = onStall;
  }

  touch(): void {
    this.looks = 0;
  }

  end(): void {
    this.#waits.delete(this);
  }

  stall(): void {
    this.end();
    this.#onStall();
  }
}
