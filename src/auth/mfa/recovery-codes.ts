import { randomBytes } from "node:crypto";
import { and, count, eq, isNull } from "drizzle-orm";
import { type Clock, systemClock, uuidv7 } from "../../core/index.ts";
import { sha256 } from "../../crypto/index.ts";
import { type Database, type Orm, recoveryCodes } from "../../database/index.ts";

export interface RecoveryCodesOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
}

const CODES = 10;
/** 24 characters of 5 bits: 120 bits each, so that a plain hash keeps them (NIST SP 800-63B-4 section 3.1.2.2 asks for 112). */
const LENGTH = 24;
/** Crockford's base32: no I, L, O, U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** RecoveryCodes are for whoever has lost the other factor: each works once, and only hashes are stored. */
export class RecoveryCodes {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(options: RecoveryCodesOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
  }

  /** regenerate voids the user's codes and returns ten new ones, which are shown once. */
  async regenerate(userId: string, tx: Orm): Promise<readonly string[]> {
    const now = this.#clock.now();
    const codes = Array.from({ length: CODES }, randomCode);
    await this.remove(userId, tx);
    await tx.insert(recoveryCodes).values(
      codes.map((code) => ({
        id: uuidv7(now),
        userId,
        codeHash: hashOf(userId, code),
        createdAt: new Date(now),
      })),
    );
    return codes.map((code) => (code.match(/.{4}/g) ?? []).join("-"));
  }

  /** use tells whether a code is good, and uses it up: of all who send it, one gets a true. Case, dashes and spaces do not matter. */
  async use(userId: string, typed: string): Promise<boolean> {
    const code = normalize(typed);
    if (code === undefined) return false;
    const rows = await this.#database.run((orm) =>
      orm
        .update(recoveryCodes)
        .set({ usedAt: new Date(this.#clock.now()) })
        .where(
          and(
            eq(recoveryCodes.userId, userId),
            eq(recoveryCodes.codeHash, hashOf(userId, code)),
            isNull(recoveryCodes.usedAt),
          ),
        )
        .returning({ id: recoveryCodes.id }),
    );
    return rows.length > 0;
  }

  /** remaining returns how many codes of the user still work. */
  async remaining(userId: string): Promise<number> {
    const [row] = await this.#database.run((orm) =>
      orm
        .select({ left: count() })
        .from(recoveryCodes)
        .where(and(eq(recoveryCodes.userId, userId), isNull(recoveryCodes.usedAt))),
    );
    return row?.left ?? 0;
  }

  async remove(userId: string, tx: Orm): Promise<void> {
    await tx.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
  }
}

const randomCode = (): string =>
  Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte & 31]).join("");

/** What people mistake for one another when they copy by hand is read alike. */
function normalize(typed: string): string | undefined {
  if (typed.length > 64) return undefined;
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
  return CODE.test(code) ? code : undefined;
}

const hashOf = (userId: string, code: string): Buffer => sha256(`recovery\0${userId}\0${code}`);
