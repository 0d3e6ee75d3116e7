import { eq, inArray } from "drizzle-orm";
import type { Clock, LimitPolicy } from "../core/index.ts";
import { isUuid } from "../core/index.ts";
import { apiKeys, type Database, userAccess, users } from "../database/index.ts";
import { entryOf, type KeyAccess, type KeyEntry } from "./key-entry.ts";
import { idOf } from "./key-text.ts";

export interface KeyStoreOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly access: KeyAccess;
  /** The limit that stands on every key beside its own. */
  readonly ceiling: LimitPolicy;
}

const MAX_CACHED = 50_000;

/**
 * KeyStore reads keys with their owners, the reads of one tick in one statement. Where this process is the only one that can change
 * them it answers from memory, until the entry's own end and until something is forgotten.
 */
export class KeyStore {
  readonly #o: KeyStoreOptions;
  readonly #known = new Map<string, KeyEntry>();
  #epoch = 0;
  #batch: Map<string, ((entry: Promise<KeyEntry | undefined>) => void)[]> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#o = options;
  }

  /** find returns the key of an id as it stands in keys; without a promise where the answer is in memory. Rejects where the store cannot say. */
  find(idText: string): KeyEntry | undefined | Promise<KeyEntry | undefined> {
    const known = this.#known.get(idText);
    if (known !== undefined && known.until > this.#o.clock.now()) return known;
    return this.#load(idText);
  }

  /** forget drops what memory knows of the keys that match; to be called after what changed them has committed. */
  forget(matches: (entry: KeyEntry) => boolean): void {
    this.#epoch += 1;
    for (const [idText, entry] of this.#known) {
      if (matches(entry)) this.#known.delete(idText);
    }
  }

  /** Reads that come before the next turn of the event loop share one statement. */
  #load(idText: string): Promise<KeyEntry | undefined> {
    return new Promise((resolve) => {
      if (this.#batch === undefined) {
        this.#batch = new Map();
        setImmediate(() => this.#flush());
      }
      const waiting = this.#batch.get(idText);
      if (waiting === undefined) this.#batch.set(idText, [resolve]);
      else waiting.push(resolve);
    });
  }

  #flush(): void {
    const batch = this.#batch ?? new Map();
    this.#batch = undefined;
    const found = this.#select([...batch.keys()]);
    for (const [idText, waiting] of batch) {
      const entry = found.then((byId) => byId.get(idText));
      for (const resolve of waiting) resolve(entry);
    }
  }

  async #select(idTexts: readonly string[]): Promise<ReadonlyMap<string, KeyEntry>> {
    const epoch = this.#epoch;
    const textOf = new Map<string, string>();
    for (const idText of idTexts) {
      const id = idOf(idText);
      if (id !== undefined && isUuid(id)) textOf.set(id, idText);
    }
    const found = new Map<string, KeyEntry>();
    if (textOf.size === 0) return found;
    const now = new Date(this.#o.clock.now());
    const rows = await this.#o.database.run((orm) =>
      orm
        .select({
          key: apiKeys,
          owner: { roles: users.roles, disabledAt: users.disabledAt, deleteAt: users.deleteAt },
          access: userAccess(apiKeys.tenantId, now),
        })
        .from(apiKeys)
        .leftJoin(users, eq(users.id, apiKeys.userId))
        .where(inArray(apiKeys.id, [...textOf.keys()])),
    );
    for (const { key, owner, access } of rows) {
      found.set(textOf.get(key.id) as string, entryOf(key, owner, access, this.#o));
    }
    if (this.#o.database.exclusive && epoch === this.#epoch) this.#keep(found);
    return found;
  }

  /** Only keys that open something are remembered: what ends a refusal need not be told here. */
  #keep(found: ReadonlyMap<string, KeyEntry>): void {
    if (this.#known.size + found.size > MAX_CACHED) this.#known.clear();
    for (const [idText, entry] of found) {
      if (entry.refusal === undefined) this.#known.set(idText, entry);
    }
  }
}
