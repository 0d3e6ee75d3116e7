import { randomBytes } from "node:crypto";
import { and, eq, isNotNull, isNull, lt, type SQL } from "drizzle-orm";
import { type Clock, ConflictError, systemClock } from "../../core/index.ts";
import type { SealContext, Sealer } from "../../crypto/index.ts";
import { type Database, type Orm, totpCredentials } from "../../database/index.ts";
import { toBase32 } from "./base32.ts";
import { qrCode } from "./qr.ts";
import { matchStep, otpauthUri } from "./totp.ts";

export interface TotpServiceOptions {
  readonly database: Database;
  readonly sealer: Sealer;
  /** The product's name, as authenticator apps show it: 1 to 64 characters; a colon is shown as a space. */
  readonly issuerName: string;
  readonly clock?: Clock | undefined;
}

/** TotpEnrolment is what an authenticator app needs, shown once. */
export interface TotpEnrolment {
  /** Base32, to be typed where a QR code cannot be read. */
  readonly secret: string;
  readonly uri: string;
  /** The QR code of the URI, as an SVG that loads nothing. */
  readonly qr: string;
}

const SECRET_BYTES = 20;
const MAX_NAME = 64;

/**
 * TotpService keeps time-based one-time passwords (RFC 6238). Secrets are sealed; a code works once, in its step or the next one.
 * The constructor throws a RangeError only if `issuerName` is none that an app could show.
 */
export class TotpService {
  readonly #database: Database;
  readonly #sealer: Sealer;
  readonly #issuerName: string;
  readonly #clock: Clock;

  constructor(options: TotpServiceOptions) {
    this.#database = options.database;
    this.#sealer = options.sealer;
    this.#issuerName = checkedName(options.issuerName);
    this.#clock = options.clock ?? systemClock;
  }

  /** enroll makes a new secret, which admits nobody until it is confirmed. Throws a ConflictError only if a confirmed one stands. */
  async enroll(userId: string, accountName: string): Promise<TotpEnrolment> {
    const secret = randomBytes(SECRET_BYTES);
    const fresh = {
      secretSealed: this.#sealer.seal(secret, contextOf(userId)),
      lastStep: 0,
      createdAt: new Date(this.#clock.now()),
    };
    const rows = await this.#database.run((orm) =>
      orm
        .insert(totpCredentials)
        .values({ userId, ...fresh })
        .onConflictDoUpdate({
          target: totpCredentials.userId,
          set: fresh,
          setWhere: isNull(totpCredentials.confirmedAt),
        })
        .returning({ userId: totpCredentials.userId }),
    );
    if (rows.length === 0) throw new ConflictError("An authenticator app is set up already.");
    const uri = otpauthUri(secret, this.#issuerName, accountName);
    return { secret: toBase32(secret), uri, qr: qrCode(uri) };
  }

  /** confirm takes the secret into use by a first code of it, and tells whether it did. The code is used up. */
  async confirm(userId: string, code: string, tx: Orm): Promise<boolean> {
    const match = this.#match(userId, code, await sealedOf(tx, userId));
    if (match === undefined) return false;
    const rows = await tx
      .update(totpCredentials)
      .set({ confirmedAt: new Date(this.#clock.now()), lastStep: match.step })
      .where(and(sameSecret(userId, match), isNull(totpCredentials.confirmedAt)))
      .returning({ userId: totpCredentials.userId });
    return rows.length > 0;
  }

  /**
   * verify tells whether a code is good, and uses up its step: of all who send the same code, one gets a true. Throws a SealError only
   * if the secret cannot be opened, as when the key that sealed it is gone.
   */
  async verify(userId: string, code: string): Promise<boolean> {
    const secretSealed = await this.#database.run((orm) => sealedOf(orm, userId));
    // Opened outside the database's work, so that a key that is gone is not taken for a statement that failed.
    const match = this.#match(userId, code, secretSealed);
    if (match === undefined) return false;
    const rows = await this.#database.run((orm) =>
      orm
        .update(totpCredentials)
        .set({ lastStep: match.step })
        .where(
          and(
            sameSecret(userId, match),
            isNotNull(totpCredentials.confirmedAt),
            lt(totpCredentials.lastStep, match.step),
          ),
        )
        .returning({ userId: totpCredentials.userId }),
    );
    return rows.length > 0;
  }

  /** remove ends the user's app, and tells whether there was a confirmed one. */
  async remove(userId: string, tx: Orm): Promise<boolean> {
    const rows = await tx
      .delete(totpCredentials)
      .where(eq(totpCredentials.userId, userId))
      .returning({ confirmedAt: totpCredentials.confirmedAt });
    return rows.some(({ confirmedAt }) => confirmedAt !== null);
  }

  #match(userId: string, code: string, secretSealed: string | undefined): Match | undefined {
    if (secretSealed === undefined) return undefined;
    const secret = this.#sealer.open(secretSealed, contextOf(userId));
    const step = matchStep(secret, code, this.#clock.now());
    return step === undefined ? undefined : { step, secretSealed };
  }
}

/** With a longer name, and the longest address, the URI would not fit into a QR code. */
function checkedName(name: string): string {
  const { length } = Array.from(name);
  const isShown = name.isWellFormed() && name.replaceAll(":", " ").trim() !== "";
  if (isShown && length <= MAX_NAME) return name;
  throw new RangeError(
    `issuerName: expected 1 to ${MAX_NAME} characters that can be shown, came ${length}`,
  );
}

async function sealedOf(orm: Orm, userId: string): Promise<string | undefined> {
  const [row] = await orm
    .select({ secretSealed: totpCredentials.secretSealed })
    .from(totpCredentials)
    .where(eq(totpCredentials.userId, userId));
  return row?.secretSealed;
}

/** The step of a code, and the secret whose code it is. */
interface Match {
  readonly step: number;
  readonly secretSealed: string;
}

/** A code counts for the secret that it was matched with, and for none that came in its place meanwhile. */
const sameSecret = (userId: string, { secretSealed }: Match): SQL | undefined =>
  and(eq(totpCredentials.userId, userId), eq(totpCredentials.secretSealed, secretSealed));

const contextOf = (userId: string): SealContext => ({
  purpose: "totp",
  table: "totp_credentials",
  column: "secret_sealed",
  row: userId,
});
