import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { and, desc, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import {
  type Clock,
  ConflictError,
  isUuid,
  NotFoundError,
  parseDuration,
  systemClock,
  uuidv7,
  ValidationError,
} from "../../core/index.ts";
import { randomText, sha256 } from "../../crypto/index.ts";
import {
  type Database,
  isUniqueViolation,
  type Orm,
  oneTimeTokens,
  passkeys,
} from "../../database/index.ts";
import { challengeOf, readAssertion, readAttestation } from "./responses.ts";
import { isUnattested, loadWebAuthn } from "./webauthn.ts";

/** @public */
export interface PasskeyServiceOptions {
  readonly database: Database;
  /** The relying party: a host, of which passkeys work on its own pages and on those below it. */
  readonly rpId: string;
  /** What people are shown when they make a passkey. */
  readonly rpName: string;
  /** Origins of the pages that may use passkeys. */
  readonly origins: readonly string[];
  readonly clock?: Clock | undefined;
  /** Time for a person to answer. Default 5m. */
  readonly challengeLifetime?: string | undefined;
}

/** A passkey as its owner sees it. */
interface PasskeyView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly backedUp: boolean;
}

/** What a challenge is for. One of a sign-in proves no second factor, and the other way round. */
type Purpose = "passkey.register" | "passkey.login" | "passkey.factor";

type Row = typeof passkeys.$inferSelect;
type Proved = Pick<Row, "counter" | "backedUp">;
type Options = Readonly<Record<string, unknown>>;

/** EdDSA, ES256, RS256 (RFC 9053). */
const ALGORITHMS = [-8, -7, -257];
const MAX_PER_USER = 20;

/**
 * PasskeyService keeps WebAuthn credentials (Web Authentication Level 3). User verification is required, so that a passkey is two
 * factors in one; each challenge works once, for one purpose, within five minutes.
 * @public
 */
export class PasskeyService {
  readonly #o: PasskeyServiceOptions;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;

  constructor(options: PasskeyServiceOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#lifetimeMs = parseDuration(options.challengeLifetime ?? "5m", "challengeLifetime");
  }

  /** registrationOptions begins to add a passkey. Throws a ConflictError only if the user has twenty already. */
  async registrationOptions(user: {
    readonly id: string;
    readonly email: string;
    readonly name: string;
  }): Promise<Options> {
    const { generateRegistrationOptions } = await loadWebAuthn();
    const known = await this.#o.database.run((orm) => rowsOf(orm, user.id));
    checkRoom(known);
    const challenge = await this.#challenge("passkey.register", user.id);
    const options = await generateRegistrationOptions({
      rpID: this.#o.rpId,
      rpName: this.#o.rpName,
      userID: handleOf(user.id),
      userName: user.email,
      userDisplayName: user.name,
      challenge: new Uint8Array(Buffer.from(challenge, "base64url")),
      timeout: this.#lifetimeMs,
      attestationType: "none",
      supportedAlgorithmIDs: ALGORITHMS,
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: known.map(({ credentialId, transports }) => ({
        id: credentialId,
        transports: [...transports],
      })),
    });
    return { ...options };
  }

  /**
   * verifyRegistration stores the passkey that a response proves, or resolves to undefined where it proves none. Throws only a ConflictError
   * (the passkey is known already, or the user has twenty) and a ValidationError (the name). The challenge is used up with the caller's
   * transaction: one that is rolled back leaves it to its time.
   */
  async verifyRegistration(
    userId: string,
    response: unknown,
    name: string,
    tx: Orm,
  ): Promise<PasskeyView | undefined> {
    const shown = nameOf(name);
    const given = readAttestation(response);
    const challenge = challengeOf(given?.response.clientDataJSON);
    if (given === undefined || challenge === undefined) return undefined;
    if (!(await this.#consume(tx, challenge, "passkey.register", userId))) return undefined;
    const proved = await this.#attested(given, challenge);
    // The id that the authenticator signed for is stored: it is the one that came beside it, whose length was bounded.
    if (proved === undefined || proved.credential.id !== given.id) return undefined;
    checkRoom(await rowsOf(tx, userId));
    const row = {
      id: uuidv7(this.#clock.now()),
      userId,
      credentialId: proved.credential.id,
      publicKey: proved.credential.publicKey,
      counter: proved.credential.counter,
      transports: proved.credential.transports ?? [],
      name: shown,
      backedUp: proved.credentialBackedUp,
      createdAt: new Date(this.#clock.now()),
      lastUsedAt: null,
    };
    try {
      await tx.insert(passkeys).values(row);
    } catch (error) {
      if (!isUniqueViolation(error, "passkeys_credential_id_key")) throw error;
      throw new ConflictError("This passkey is known already.");
    }
    return viewOf(row);
  }

  /**
   * loginOptions begins a sign-in. Without a user they are the same for everyone, so that nothing tells who has an account; with one
   * they are for that user's passkeys, as a second factor.
   */
  async loginOptions(userId?: string): Promise<Options> {
    const { generateAuthenticationOptions } = await loadWebAuthn();
    const known =
      userId === undefined ? [] : await this.#o.database.run((orm) => rowsOf(orm, userId));
    const purpose = userId === undefined ? "passkey.login" : "passkey.factor";
    const challenge = await this.#challenge(purpose, userId);
    const options = await generateAuthenticationOptions({
      rpID: this.#o.rpId,
      challenge: new Uint8Array(Buffer.from(challenge, "base64url")),
      timeout: this.#lifetimeMs,
      userVerification: "required",
      allowCredentials: known.map(({ credentialId, transports }) => ({
        id: credentialId,
        transports: [...transports] as never[],
      })),
    });
    return { ...options };
  }

  /** verifyLogin returns whose passkey signed: anyone's, or that of one user as a second factor. Whatever is wrong is undefined. */
  async verifyLogin(
    response: unknown,
    { userId }: { readonly userId?: string | undefined } = {},
  ): Promise<{ readonly userId: string; readonly passkeyId: string } | undefined> {
    const given = readAssertion(response);
    const challenge = challengeOf(given?.response.clientDataJSON);
    if (given === undefined || challenge === undefined) return undefined;
    return this.#o.database.run(async (orm) => {
      const purpose = userId === undefined ? "passkey.login" : "passkey.factor";
      if (!(await this.#consume(orm, challenge, purpose, userId))) return undefined;
      const [row] = await orm.select().from(passkeys).where(eq(passkeys.credentialId, given.id));
      if (row === undefined || (userId !== undefined && row.userId !== userId)) return undefined;
      const { userHandle } = given.response;
      // Where no user was named before, the authenticator has to (Web Authentication Level 3 section 7.2, step 6).
      const isNamed = userId !== undefined && userHandle === undefined;
      if (!isNamed && userHandle !== handleText(row.userId)) return undefined;
      const proved = await this.#asserted(given, challenge, row);
      if (proved === undefined || !(await this.#count(orm, row, proved))) return undefined;
      return { userId: row.userId, passkeyId: row.id };
    });
  }

  /** list returns the passkeys of a user, the newest first. */
  async list(userId: string): Promise<readonly PasskeyView[]> {
    const rows = await this.#o.database.run((orm) => rowsOf(orm, userId));
    return rows.map(viewOf);
  }

  /** rename throws only a NotFoundError (the user has no such passkey) and a ValidationError (the name). */
  async rename(userId: string, id: string, name: string): Promise<void> {
    const shown = nameOf(name);
    const renamed = await this.#o.database.run((orm) =>
      orm
        .update(passkeys)
        .set({ name: shown })
        .where(own(userId, id))
        .returning({ id: passkeys.id }),
    );
    if (renamed.length === 0) throw new NotFoundError("Passkey", id);
  }

  /** remove throws only a NotFoundError (the user has no such passkey). */
  async remove(userId: string, id: string, tx: Orm): Promise<void> {
    const removed = await tx.delete(passkeys).where(own(userId, id)).returning({ id: passkeys.id });
    if (removed.length === 0) throw new NotFoundError("Passkey", id);
  }

  async #challenge(purpose: Purpose, userId: string | undefined): Promise<string> {
    const now = this.#clock.now();
    const challenge = randomText(32);
    await this.#o.database.run((orm) =>
      orm.insert(oneTimeTokens).values({
        id: uuidv7(now),
        purpose,
        tokenHash: hashOf(challenge),
        userId: userId ?? null,
        createdAt: new Date(now),
        expiresAt: new Date(now + this.#lifetimeMs),
      }),
    );
    return challenge;
  }

  /** A challenge is used up before anything is verified with it: of all answers at once, only the first is looked at. */
  async #consume(
    orm: Orm,
    challenge: string,
    purpose: Purpose,
    userId: string | undefined,
  ): Promise<boolean> {
    const now = new Date(this.#clock.now());
    const used = await orm
      .update(oneTimeTokens)
      .set({ usedAt: now })
      .where(
        and(
          eq(oneTimeTokens.tokenHash, hashOf(challenge)),
          eq(oneTimeTokens.purpose, purpose),
          userId === undefined ? isNull(oneTimeTokens.userId) : eq(oneTimeTokens.userId, userId),
          isNull(oneTimeTokens.usedAt),
          gt(oneTimeTokens.expiresAt, now),
        ),
      )
      .returning({ id: oneTimeTokens.id });
    return used.length > 0;
  }

  async #attested(response: RegistrationResponseJSON, expectedChallenge: string) {
    const { verifyRegistrationResponse, helpers } = await loadWebAuthn();
    try {
      const object = helpers.isoBase64URL.toBuffer(response.response.attestationObject);
      if (!isUnattested(helpers.decodeAttestationObject(object))) return undefined;
      const { registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge,
        expectedOrigin: [...this.#o.origins],
        expectedRPID: this.#o.rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      return registrationInfo;
    } catch {
      // The library throws for whatever does not hold; what it was is nobody's business.
      return undefined;
    }
  }

  /** What a signature proved of its authenticator, or undefined. */
  async #asserted(
    response: AuthenticationResponseJSON,
    expectedChallenge: string,
    row: Row,
  ): Promise<Proved | undefined> {
    const { verifyAuthenticationResponse } = await loadWebAuthn();
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge,
        expectedOrigin: [...this.#o.origins],
        expectedRPID: this.#o.rpId,
        requireUserVerification: true,
        credential: {
          id: row.credentialId,
          publicKey: new Uint8Array(row.publicKey),
          // Whether the counter rose is decided by one statement, below.
          counter: 0,
        },
      });
      const { newCounter: counter, credentialBackedUp: backedUp } = authenticationInfo;
      return verified ? { counter, backedUp } : undefined;
    } catch {
      return undefined;
    }
  }

  /** A counter that did not rise is that of a copy (WebAuthn section 6.1.1); one that is always zero counts nothing. */
  async #count(orm: Orm, row: Row, { counter, backedUp }: Proved): Promise<boolean> {
    const rose = sql`${passkeys.counter} < ${counter}`;
    const never = and(eq(passkeys.counter, 0), sql`${counter} = 0`);
    const counted = await orm
      .update(passkeys)
      .set({ counter, backedUp, lastUsedAt: new Date(this.#clock.now()) })
      .where(and(eq(passkeys.id, row.id), or(rose, never)))
      .returning({ id: passkeys.id });
    return counted.length > 0;
  }
}

const rowsOf = (orm: Orm, userId: string): Promise<Row[]> =>
  orm.select().from(passkeys).where(eq(passkeys.userId, userId)).orderBy(desc(passkeys.createdAt));

function checkRoom(known: readonly Row[]): void {
  if (known.length >= MAX_PER_USER) throw new ConflictError("Remove a passkey first.");
}

/** Someone else's id, and what is no id at all, are nobody's passkey. */
const own = (userId: string, id: string): SQL | undefined =>
  isUuid(id) ? and(eq(passkeys.id, id), eq(passkeys.userId, userId)) : sql`false`;

/** What an authenticator keeps of a user: the id, which says nothing of the person (WebAuthn section 14.6.1). */
const handleOf = (userId: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(userId, "utf8"));
const handleText = (userId: string): string => Buffer.from(userId, "utf8").toString("base64url");

const hashOf = (challenge: string): Buffer => sha256(`passkey challenge\0${challenge}`);

function nameOf(text: string): string {
  const name = text.normalize("NFC").trim();
  const isName = name.length >= 1 && name.length <= 100 && !/\p{Cc}/u.test(name);
  if (isName && name.isWellFormed()) return name;
  throw new ValidationError([
    { field: "name", message: "Expected 1 to 100 characters on one line.", code: "invalid_name" },
  ]);
}

const viewOf = (row: Row): PasskeyView => ({
  id: row.id,
  name: row.name,
  createdAt: row.createdAt.toISOString(),
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  backedUp: row.backedUp,
});
