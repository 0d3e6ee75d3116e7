import type { Session } from "./session.ts";

const MAX_CACHED = 50_000;

/** SessionCache is what a process that alone can change the sessions remembers of them. */
export class SessionCache {
  readonly #known = new Map<string, Session>();
  #epoch = 0;

  /** Rises with every eviction, so that a read which began before one does not put back what it evicted. */
  get epoch(): number {
    return this.#epoch;
  }

  get(key: string): Session | undefined {
    return this.#known.get(key);
  }

  /** keep remembers what a read found, unless something was forgotten since the read began. */
  keep(found: ReadonlyMap<string, Session>, epoch: number): void {
    if (epoch !== this.#epoch) return;
    if (this.#known.size + found.size > MAX_CACHED) this.#known.clear();
    for (const [key, session] of found) this.#known.set(key, session);
  }

  /** replace puts a newer view in the place of the one that it was made from. */
  replace(key: string, from: Session, to: Session): void {
    if (this.#known.get(key) === from) this.#known.set(key, to);
  }

  delete(key: string): void {
    this.#known.delete(key);
  }

  forget(matches: (session: Session) => boolean): void {
    this.#epoch += 1;
    for (const [key, session] of this.#known) {
      if (matches(session)) this.#known.delete(key);
    }
  }
}
