import { and, asc, eq, gt, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Awaitable,
  type Clock,
  type EventContext,
  isPromise,
  NotFoundError,
  parseDuration,
  systemClock,
} from "../../core/index.ts";
import type { Sealer } from "../../crypto/index.ts";
import { type Database, type OrmTransaction, signingKeys } from "../../database/index.ts";
import { type KeyPair, makePair, openPair, type PublicJwk } from "./key-pair.ts";
import type { AsymmetricAlgorithm, SigningKey, TokenKey } from "./token-key.ts";

export interface SigningKeysOptions {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
  /** Of the keys that are made: EdDSA (Ed25519, RFC 8037) or ES256. Default EdDSA. */
  readonly algorithm?: AsymmetricAlgorithm | undefined;
  /** How long a successor is published before it signs: longer than others may keep the key set. Default 10m. */
  readonly activationDelay?: string | undefined;
  /** The longest life of a token: so long, and a minute, a key verifies after its successor began to sign. Default 1h. */
  readonly tokenLifetime?: string | undefined;
}

/** Rotation is the successor of a key, and from when it signs, in milliseconds since 1970. */
export interface Rotation {
  readonly kid: string;
  readonly activeAt: number;
}

interface LiveKey extends KeyPair {
  readonly activeAt: number;
  /** From when it verifies nothing; Infinity while it has no successor. */
  readonly retiresAt: number;
}

type Row = typeof signingKeys.$inferSelect;
/** By encoded header. */
type LiveKeys = ReadonlyMap<string, LiveKey>;

/** What other processes did to the keys is known here after this at the latest. */
const REREAD_MS = 10_000;
/** Tokens with unknown headers make the keys be read again no more often than this. */
const UNKNOWN_MS = 1_000;
/** Clocks of several processes differ: what signs at once does so by a clock that is behind, too, and makes no second one there. */
const MARGIN_MS = 60_000;

/**
 * SigningKeys are the asymmetric keys of access tokens. They live in the database, private parts sealed; the first is made when it is
 * needed, later ones by rotate, and each process keeps them in memory for ten seconds.
 */
export class SigningKeys {
  readonly algorithm: AsymmetricAlgorithm;
  readonly tokenLifetimeMs: number;
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #audit: AuditSink;
  readonly #clock: Clock;
  readonly #delayMs: number;
  #keys: LiveKeys = new Map();
  #byKid: ReadonlyMap<string, LiveKey> = new Map();
  #readAt: number | undefined;
  #reading: Promise<LiveKeys> | undefined;
  #opened: ReadonlyMap<string, KeyPair | undefined> = new Map();

  constructor(options: SigningKeysOptions) {
    this.algorithm = options.algorithm ?? "EdDSA";
    this.tokenLifetimeMs = parseDuration(options.tokenLifetime ?? "1h", "tokenLifetime");
    this.#database = options.database;
    this.#sealer = options.sealer;
    this.#audit = options.audit;
    this.#clock = options.clock ?? systemClock;
    this.#delayMs = parseDuration(options.activationDelay ?? "10m", "activationDelay");
  }

  /** signer returns the key that signs now, and makes the first one. */
  async signer(): Promise<SigningKey> {
    return (
      this.#active(await this.#current()) ??
      this.#active(await this.#makeFirst()) ??
      missing(this.algorithm)
    );
  }

  /** find returns the live key whose tokens have this encoded header. An unknown one may be of a key that is new elsewhere. */
  find(header: string): Awaitable<TokenKey | undefined> {
    const keys = this.#current();
    if (isPromise(keys)) return keys.then((read) => this.#findIn(read, header));
    return this.#findIn(keys, header);
  }

  #findIn(keys: LiveKeys, header: string): Awaitable<LiveKey | undefined> {
    const key = keys.get(header);
    if (key !== undefined) return this.#isLive(key) ? key : undefined;
    if (this.#isReadWithin(UNKNOWN_MS)) return undefined;
    return this.#read().then((read) => read.get(header));
  }

  /** has tells whether a key is there and verifies; of tokens that were verified before. */
  has(kid: string): Awaitable<boolean> {
    const isThere = (): boolean => {
      const key = this.#byKid.get(kid);
      return key !== undefined && this.#isLive(key);
    };
    const keys = this.#current();
    return isPromise(keys) ? keys.then(isThere) : isThere();
  }

  /** published returns the public keys, also of a successor that does not sign yet. Where there is no key to sign, it is made. */
  async published(): Promise<readonly PublicJwk[]> {
    const keys = await this.#current();
    const all = this.#active(keys) === undefined ? await this.#makeFirst() : keys;
    return [...all.values()].filter((key) => this.#isLive(key)).map(({ jwk }) => jwk);
  }

  /**
   * rotate makes a successor, which is published at once and signs after the delay. The keys before it verify until every token
   * that they sign has expired, or until they were to retire anyway, if that is earlier. Where a successor is waiting already, it stays the
   * one.
   */
  rotate(context: EventContext = {}): Promise<Rotation> {
    return this.#locked(async (tx, now) => {
      const rows = await this.#liveRows(tx, now);
      const waiting = rows.find((row) => row.retiresAt === null && !isActiveAt(row, now));
      if (waiting !== undefined) return { kid: waiting.id, activeAt: waiting.activeAt.getTime() };
      const activeAt = rows.some((row) => isActiveAt(row, now)) ? now + this.#delayMs : now;
      await this.#retireOthers(tx, activeAt + this.tokenLifetimeMs + MARGIN_MS);
      await tx.delete(signingKeys).where(lte(signingKeys.retiresAt, new Date(now)));
      const kid = await this.#insert(tx, now, activeAt);
      await this.#record(tx, "rotated", "medium", kid, context);
      return { kid, activeAt };
    });
  }

  /**
   * remove ends a key at once, as after a compromise: nothing that it signed is accepted any more, here and in other processes, which
   * read with each session which keys are there. A successor takes over at once where no other key can sign. Throws a NotFoundError only if there is no such key.
   */
  async remove(kid: string, context: EventContext = {}): Promise<void> {
    await this.#locked(async (tx, now) => {
      const [gone] = await tx.delete(signingKeys).where(eq(signingKeys.id, kid)).returning();
      if (gone === undefined) throw new NotFoundError("Signing key", kid);
      await this.#fillGap(tx, now, await this.#liveRows(tx, now));
      await this.#record(tx, "removed", "high", kid, context);
    });
  }

  /** One key must always be without an end, and one must sign: whatever of the two a removal took is put back. */
  async #fillGap(tx: OrmTransaction, now: number, rows: readonly Row[]): Promise<void> {
    const isActive = (row: Row): boolean => isActiveAt(row, now);
    const newest = rows.find(({ retiresAt }) => retiresAt === null);
    const bridge = now + this.#delayMs + this.tokenLifetimeMs;
    const canWait = rows.some(
      (row) => isActive(row) && (row.retiresAt === null || row.retiresAt.getTime() >= bridge),
    );
    if (newest === undefined) {
      await this.#insert(tx, now, canWait ? now + this.#delayMs : now - MARGIN_MS);
    } else if (!rows.some(isActive)) {
      const activeAt = new Date(now);
      await tx.update(signingKeys).set({ activeAt }).where(eq(signingKeys.id, newest.id));
    }
  }

  /** Of many processes that find no key, one makes it. */
  async #makeFirst(): Promise<LiveKeys> {
    await this.#locked(async (tx, now) => {
      const rows = await this.#liveRows(tx, now);
      const opened = await Promise.all(rows.map((row) => openPair(row, this.#sealer)));
      const signs = rows.some((row, i) => opened[i] !== undefined && isActiveAt(row, now));
      if (!signs) await this.#insert(tx, now, now - MARGIN_MS);
    });
    return this.#current();
  }

  /** Changes of the keys wait for each other, in all processes; who reads does not wait. */
  async #locked<T>(work: (tx: OrmTransaction, now: number) => Promise<T>): Promise<T> {
    try {
      return await this.#database.transaction(async (tx) => {
        await tx.execute(sql`LOCK TABLE ${signingKeys} IN SHARE ROW EXCLUSIVE MODE`);
        return work(tx, this.#clock.now());
      });
    } finally {
      this.#readAt = undefined;
      this.#reading = undefined;
    }
  }

  #liveRows(tx: OrmTransaction, now: number): Promise<Row[]> {
    return tx
      .select()
      .from(signingKeys)
      .where(and(eq(signingKeys.algorithm, this.algorithm), isLiveAt(now)))
      .orderBy(asc(signingKeys.activeAt));
  }

  /** An end that is earlier already stays: LEAST passes over NULL. */
  async #retireOthers(tx: OrmTransaction, at: number): Promise<void> {
    const end = new Date(at).toISOString();
    await tx
      .update(signingKeys)
      .set({ retiresAt: sql`LEAST(${signingKeys.retiresAt}, ${end}::timestamptz)` })
      .where(eq(signingKeys.algorithm, this.algorithm));
  }

  async #insert(tx: OrmTransaction, now: number, activeAt: number): Promise<string> {
    const pair = await makePair(this.algorithm, this.#sealer);
    await tx.insert(signingKeys).values({
      ...pair,
      publicJwk: { ...pair.publicJwk },
      createdAt: new Date(now),
      activeAt: new Date(activeAt),
    });
    return pair.id;
  }

  #record(
    tx: OrmTransaction,
    what: "rotated" | "removed",
    severity: "medium" | "high",
    kid: string,
    context: EventContext,
  ): Promise<void> {
    const type = `auth.signing-key.${what}`;
    const resource = `signing-key:${kid}`;
    const metadata = { algorithm: this.algorithm };
    const event = { type, severity, result: "success", resource, metadata } as const;
    return this.#audit.record(event, context, tx);
  }

  #current(): Awaitable<LiveKeys> {
    return this.#isReadWithin(REREAD_MS) ? this.#keys : this.#read();
  }

  /** Also where the clock was set back: what lies in the future was not read just now. */
  #isReadWithin(milliseconds: number): boolean {
    return this.#readAt !== undefined && Math.abs(this.#clock.now() - this.#readAt) < milliseconds;
  }

  /** Who asks while a read runs waits for it; a change of the keys makes what runs stale, and it is not kept. */
  #read(): Promise<LiveKeys> {
    if (this.#reading !== undefined) return this.#reading;
    const startedAt = this.#clock.now();
    const reading: Promise<LiveKeys> = this.#select(startedAt)
      .then((keys) => {
        if (this.#reading === reading) {
          this.#keys = new Map(keys.map((key) => [key.header, key]));
          this.#byKid = new Map(keys.map((key) => [key.kid, key]));
          this.#readAt = startedAt;
          return this.#keys;
        }
        return this.#current();
      })
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
    this.#reading = reading;
    return reading;
  }

  async #select(now: number): Promise<readonly LiveKey[]> {
    const rows = await this.#database.run((orm) =>
      orm.select().from(signingKeys).where(isLiveAt(now)).orderBy(asc(signingKeys.activeAt)),
    );
    const pairs = await Promise.all(
      rows.map(async (row) =>
        this.#opened.has(row.id) ? this.#opened.get(row.id) : openPair(row, this.#sealer),
      ),
    );
    this.#opened = new Map(rows.map((row, i) => [row.id, pairs[i]]));
    return rows.flatMap((row, i) => {
      const pair = pairs[i];
      if (pair === undefined) return [];
      const retiresAt = row.retiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
      return [{ ...pair, activeAt: row.activeAt.getTime(), retiresAt }];
    });
  }

  #isLive(key: LiveKey): boolean {
    return key.retiresAt > this.#clock.now();
  }

  /** The newest key that may sign. */
  #active(keys: LiveKeys): LiveKey | undefined {
    const now = this.#clock.now();
    return [...keys.values()].findLast(
      (key) => key.algorithm === this.algorithm && key.activeAt <= now && key.retiresAt > now,
    );
  }
}

const isActiveAt = (row: Row, now: number): boolean => row.activeAt.getTime() <= now;

const isLiveAt = (now: number): SQL | undefined =>
  or(isNull(signingKeys.retiresAt), gt(signingKeys.retiresAt, new Date(now)));

const missing = (algorithm: string): never => {
  throw new TypeError(`signing keys: expected one of ${algorithm}, came none`);
};
