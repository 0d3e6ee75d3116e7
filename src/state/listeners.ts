import type { Log } from "../core/index.ts";

type Listener = (message: string) => void;

/** Listeners of one process, by channel. */
export class Listeners {
  // Wrapped, so that one function that listens twice hears twice, and each leaves for itself.
  readonly #channels = new Map<string, Set<{ readonly listener: Listener }>>();
  readonly #log: Log | undefined;

  constructor(log: Log | undefined) {
    this.#log = log;
  }

  /** Channels with at least one listener. */
  get channels(): readonly string[] {
    return [...this.#channels.keys()];
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** add returns the function that removes the listener again; it may be called twice. */
  add(channel: string, listener: Listener): () => void {
    const entry = { listener };
    const entries = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, entries.add(entry));
    return () => {
      entries.delete(entry);
      if (entries.size === 0 && this.#channels.get(channel) === entries) {
        this.#channels.delete(channel);
      }
    };
  }

  /** deliver hands a message to every listener of the channel; one that throws is logged, and the others hear it all the same. */
  deliver(channel: string, message: string): void {
    // Who begins to listen while it is handed round hears the next one.
    const entries = Array.from(this.#channels.get(channel) ?? []);
    for (const { listener } of entries) {
      try {
        listener(message);
      } catch (error) {
        this.#log?.error({ err: error, channel }, "a listener of the state failed");
      }
    }
  }
}
