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
  readonly #waits = new Link();
  #timer: NodeJS.Timeout | undefined;

  /** `onEach` hears of every stall. */
  constructor(timeoutMs: number, onEach: () => void = () => {}) {
    this.#everyMs = timeoutMs / LOOKS;
    this.#onEach = onEach;
  }

  /** watch calls `onStall` once, if nothing was touched for the whole time before the end. */
  watch(onStall: () => void): Watched {
    const wait = new Wait(onStall);
    wait.putBefore(this.#waits);
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
    return wait;
  }

  #look(): void {
    if (this.#waits.next === this.#waits) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    const late: Wait[] = [];
    for (let link = this.#waits.next; link instanceof Wait; link = link.next) {
      link.looks += 1;
      if (link.looks > LOOKS) late.push(link);
    }
    for (const wait of late) {
      // One that stalls may end others.
      if (wait.next === wait) continue;
      this.#onEach();
      wait.stall();
    }
  }
}

/** A ring: each request with a body comes and goes, and a Set makes itself anew every few of them. */
class Link {
  previous: Link = this;
  next: Link = this;

  putBefore(other: Link): void {
    this.previous = other.previous;
    this.next = other;
    other.previous.next = this;
    other.previous = this;
  }

  take(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

class Wait extends Link implements Watched {
  looks = 0;
  readonly #onStall: () => void;

  constructor(onStall: () => void) {
    super();
    this.#onStall = onStall;
  }

  touch(): void {
    this.looks = 0;
  }

  end(): void {
    this.take();
  }

  stall(): void {
    this.end();
    this.#onStall();
  }
}
