import { and, eq, gt, lt } from "drizzle-orm";
import { type Clock, parseDuration, systemClock, uuidv7 } from "../../core/index.ts";
import { digestsEqual, hmacSha256, type KeyRing, randomText, sha256 } from "../../crypto/index.ts";
import { type Database, devices, type Orm } from "../../database/index.ts";
import { agentText } from "./session-store.ts";

export interface DevicesOptions {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clock?: Clock | undefined;
  /** How long a device is known after its last sign-in. Default 180d. */
  readonly lifetime?: string | undefined;
}

export interface Device {
  readonly id: string;
  readonly userId: string;
}

const TOKEN = /^bdv_([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/**
 * Devices knows the browsers and apps from which a user has signed in with all factors. A device proves itself by a
 * signed random text, bound to its user; it opens nothing by itself, and only counts failures apart from those of strangers.
 */
export class Devices {
  readonly #database: Database;
  readonly #keys: KeyRing;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;

  constructor(options: DevicesOptions) {
    this.#database = options.database;
    this.#keys = options.keys;
    this.#clock = options.clock ?? systemClock;
    this.#lifetimeMs = parseDuration(options.lifetime ?? "180d", "lifetime");
  }

  /** The life of a device's cookie, in seconds. */
  get maxAge(): number {
    return Math.floor(this.#lifetimeMs / 1_000);
  }

  /** find returns the device of a token if it is known for this user. A text that we did not sign costs no query. */
  async find(token: string | undefined, userId: string): Promise<Device | undefined> {
    const secret = this.#secretOf(token);
    if (secret === undefined) return undefined;
    const now = new Date(this.#clock.now());
    const [row] = await this.#database.run((orm) =>
      orm
        .select({ id: devices.id, userId: devices.userId })
        .from(devices)
        .where(
          and(
            eq(devices.secretHash, sha256(secret)),
            eq(devices.userId, userId),
            gt(devices.expiresAt, now),
          ),
        ),
    );
    return row;
  }

  /** remember makes a device known, under a new token each time; true as `isNew` where the user had others but not this one. */
  async remember(
    tx: Orm,
    userId: string,
    known: Device | undefined,
    agent: string | undefined,
  ): Promise<{ readonly token: string; readonly isNew: boolean }> {
    const now = this.#clock.now();
    const secret = randomText(32);
    const seen = {
      secretHash: sha256(secret),
      agent: agentText(agent),
      lastSeenAt: new Date(now),
      expiresAt: new Date(now + this.#lifetimeMs),
    };
    if (known !== undefined) {
      const renewed = await tx
        .update(devices)
        .set(seen)
        .where(and(eq(devices.id, known.id), eq(devices.userId, userId)))
        .returning({ id: devices.id });
      if (renewed.length > 0) return { token: this.#sign(secret), isNew: false };
    }
    const others = await tx
      .select({ id: devices.id })
      .from(devices)
      .where(eq(devices.userId, userId))
      .limit(1);
    await tx.insert(devices).values({ id: uuidv7(now), userId, createdAt: new Date(now), ...seen });
    return { token: this.#sign(secret), isNew: others.length > 0 };
  }

  /** forget ends all devices of a user, after a change of credentials. */
  async forget(tx: Orm, userId: string): Promise<void> {
    await tx.delete(devices).where(eq(devices.userId, userId));
  }

  /** sweep deletes the rows of devices that were not seen for their lifetime. */
  async sweep(): Promise<void> {
    const now = new Date(this.#clock.now());
    await this.#database.run((orm) => orm.delete(devices).where(lt(devices.expiresAt, now)));
  }

  #sign(secret: string): string {
    const [{ bytes }] = this.#keys.derive("device token");
    return `bdv_${secret}.${hmacSha256(bytes, secret).toString("base64url")}`;
  }

  #secretOf(token: string | undefined): string | undefined {
    const [, secret, signature] = TOKEN.exec(token ?? "") ?? [];
    if (secret === undefined || signature === undefined) return undefined;
    const given = Buffer.from(signature, "base64url");
    const isOurs = this.#keys
      .derive("device token")
      .some(({ bytes }) => digestsEqual(hmacSha256(bytes, secret), given));
    return isOurs ? secret : undefined;
  }
}
