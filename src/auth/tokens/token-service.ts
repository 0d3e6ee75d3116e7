import { hash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import {
  type Awaitable,
  type Clock,
  isPromise,
  type ProvedFactor,
  parseDuration,
  systemClock,
  UnauthorizedError,
  uuidv7,
} from "../../core/index.ts";
import type { KeyRing } from "../../crypto/index.ts";
import type { Session, SessionStore } from "../sessions/index.ts";
import type { PublicJwk } from "./key-pair.ts";
import { SecretKeys } from "./secret-keys.ts";
import type { SigningKeys } from "./signing-keys.ts";
import {
  headerOf,
  type SigningKey,
  TOKEN_TYPE,
  type TokenAlgorithm,
  type TokenKey,
} from "./token-key.ts";
import { type VerifiedToken, VerifiedTokens } from "./verified-tokens.ts";

export interface TokenServiceOptions {
  readonly keys: KeyRing;
  readonly sessions: SessionStore;
  /** `iss` and `aud` of the tokens. */
  readonly issuer: string;
  readonly clock?: Clock | undefined;
  /** Life of an access token. Default 1h. */
  readonly lifetime?: string | undefined;
  /** What signs. EdDSA and ES256 need `signingKeys` of the same. Default HS256, with keys derived from the application's secrets. */
  readonly algorithm?: TokenAlgorithm | undefined;
  readonly signingKeys?: SigningKeys | undefined;
  /** Further algorithms whose tokens are accepted, while their last ones expire. Default none. */
  readonly alsoAccept?: readonly TokenAlgorithm[] | undefined;
  /** Verified tokens that are remembered. Default 20,000. */
  readonly maxRemembered?: number | undefined;
}

/** TokenPayload is what a good token stands for: the session as it is now, and the token's own end in seconds (NumericDate). */
export interface TokenPayload {
  readonly userId: string;
  readonly sessionId: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly methods: readonly ProvedFactor[];
  readonly exp: number;
}

const REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"];
/** A longer text is no token of ours, and is not parsed. */
const MAX_LENGTH = 2_048;
/** The one spelling of a compact JWS (RFC 7515 section 7.1): no padding, no white space, which decoders would pass over. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const refused = (cause?: unknown): UnauthorizedError =>
  new UnauthorizedError("The credential is not valid.", { cause });

const expired = (): UnauthorizedError =>
  new UnauthorizedError("The token has expired.", { code: "TOKEN_EXPIRED" });

/**
 * TokenService makes and verifies access tokens (RFC 9068 in shape). A token's header must be, to the letter, the one that its key writes:
 * the key says the algorithm, and no other member of a header is ever looked at (RFC 8725 section 3.1). A token only
 * names a session, which is read on every verification: that is what decides, and where the roles come from.
 */
export class TokenService {
  readonly #sessions: SessionStore;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #algorithm: TokenAlgorithm;
  readonly #accepted: ReadonlySet<TokenAlgorithm>;
  readonly #secretKeys: SecretKeys;
  readonly #signingKeys: SigningKeys | undefined;
  readonly #verified: VerifiedTokens;

  /** Throws a TypeError or RangeError only if the algorithm and the signing keys do not fit each other. */
  constructor(options: TokenServiceOptions) {
    this.#sessions = options.sessions;
    this.#issuer = options.issuer;
    this.#clock = options.clock ?? systemClock;
    this.#lifetimeMs = parseDuration(options.lifetime ?? "1h", "lifetime");
    this.#algorithm = options.algorithm ?? "HS256";
    this.#accepted = new Set([this.#algorithm, ...(options.alsoAccept ?? [])]);
    this.#secretKeys = new SecretKeys(options.keys);
    this.#signingKeys = options.signingKeys;
    this.#verified = new VerifiedTokens(options.maxRemembered ?? 20_000);
    checkKeys(this.#algorithm, this.#accepted, this.#signingKeys, this.#lifetimeMs);
  }

  /** Seconds that a new token lives. */
  get expiresIn(): number {
    return Math.floor(this.#lifetimeMs / 1_000);
  }

  /**
   * generateToken returns an access token of a session, which ends with the session at the latest. It may make a signing key, and so is not
   * to be called inside a transaction.
   */
  async generateToken(session: {
    readonly userId: string;
    readonly sessionId: string;
    /** When the session ends at the latest, in milliseconds since 1970. */
    readonly expiresAt: number;
  }): Promise<string> {
    const { kid, algorithm, signing } = await this.#signer();
    const now = this.#clock.now();
    const iat = Math.floor(now / 1_000);
    const exp = Math.floor(Math.min(now + this.#lifetimeMs, session.expiresAt) / 1_000);
    return new SignJWT({ sid: session.sessionId })
      .setProtectedHeader({ ...headerOf(algorithm, kid) })
      .setIssuer(this.#issuer)
      .setAudience(this.#issuer)
      .setSubject(session.userId)
      .setJti(uuidv7(now))
      .setIssuedAt(iat)
      .setNotBefore(iat)
      .setExpirationTime(exp)
      .sign(signing);
  }

  /** jwks returns the public keys (RFC 7517), also of a successor that does not sign yet; none where HS256 alone signs. */
  async jwks(): Promise<{ readonly keys: readonly PublicJwk[] }> {
    if (this.#algorithm === "HS256" || this.#signingKeys === undefined) return { keys: [] };
    const keys = await this.#signingKeys.published();
    return { keys: keys.filter(({ alg }) => this.#accepted.has(alg)) };
  }

  /**
   * verifyToken returns what a token stands for now. Rejects with an UnauthorizedError (TOKEN_EXPIRED, or
   * UNAUTHORIZED for everything else that is wrong with it), and with another error only where the keys or the session cannot be read.
   */
  verifyToken(token: string): Awaitable<TokenPayload> {
    if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw refused();
    const digest = hash("sha256", token, "base64url");
    const known = this.#verified.get(digest);
    if (known === undefined) {
      return this.#verify(token, digest).then((verified) => this.#resolve(verified));
    }
    if (known.exp * 1_000 <= this.#clock.now()) {
      this.#verified.delete(digest);
      throw expired();
    }
    const isGood = this.#isKeyThere(known);
    if (isPromise(isGood)) return isGood.then((good) => this.#recall(known, digest, good));
    return this.#recall(known, digest, isGood);
  }

  /** A token that was verified is worth nothing any more once its key has gone. */
  #recall(known: VerifiedToken, digest: string, isKeyThere: boolean): Awaitable<TokenPayload> {
    if (isKeyThere) return this.#resolve(known);
    this.#verified.delete(digest);
    throw refused();
  }

  async #verify(token: string, digest: string): Promise<VerifiedToken> {
    const [header = "", claims = "", signature = ""] = token.split(".");
    const key = await this.#keyOf(header);
    if (key === undefined || !isCanonical(signature)) throw refused();
    try {
      const { payload } = await jwtVerify(token, key.verifying, {
        algorithms: [key.algorithm],
        typ: TOKEN_TYPE,
        issuer: this.#issuer,
        audience: this.#issuer,
        requiredClaims: REQUIRED,
        currentDate: new Date(this.#clock.now()),
      });
      const verified = verifiedOf(payload, claims, key);
      if (verified === undefined) throw refused();
      this.#verified.set(digest, verified);
      return verified;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expired();
      throw error instanceof errors.JOSEError ? refused(error) : error;
    }
  }

  async #keyOf(header: string): Promise<TokenKey | undefined> {
    const secret = this.#accepted.has("HS256") ? await this.#secretKeys.find(header) : undefined;
    const key = secret ?? (await this.#signingKeys?.find(header));
    return key !== undefined && this.#accepted.has(key.algorithm) ? key : undefined;
  }

  #isKeyThere({ kid, algorithm }: VerifiedToken): Awaitable<boolean> {
    return algorithm === "HS256" || (this.#signingKeys?.has(kid) ?? false);
  }

  #signer(): Promise<SigningKey> {
    if (this.#algorithm === "HS256" || this.#signingKeys === undefined) {
      return this.#secretKeys.signer();
    }
    return this.#signingKeys.signer();
  }

  #resolve(token: VerifiedToken): Awaitable<TokenPayload> {
    const session = this.#sessions.read(token.sessionId);
    return isPromise(session)
      ? session.then((read) => payloadOf(token, read))
      : payloadOf(token, session);
  }
}

function checkKeys(
  algorithm: TokenAlgorithm,
  accepted: ReadonlySet<TokenAlgorithm>,
  keys: SigningKeys | undefined,
  lifetimeMs: number,
): void {
  const needsKeys = accepted.has("EdDSA") || accepted.has("ES256");
  if (needsKeys && keys === undefined) {
    throw new TypeError(`signingKeys: expected those of ${[...accepted].join(", ")}, came none`);
  }
  if (algorithm !== "HS256" && keys?.algorithm !== algorithm) {
    throw new TypeError(`signingKeys: expected keys of ${algorithm}, came ${keys?.algorithm}`);
  }
  if (needsKeys && keys !== undefined && keys.tokenLifetimeMs < lifetimeMs) {
    throw new RangeError(
      `signingKeys.tokenLifetime: expected ${lifetimeMs} ms or more, came ${keys.tokenLifetimeMs}`,
    );
  }
}

/** One spelling: base64url's last letter may carry bits that decoders pass over, and JSON may name a member twice. */
const isCanonical = (text: string): boolean =>
  Buffer.from(text, "base64url").toString("base64url") === text;

/** verifiedOf takes what is needed of verified claims, if each is of its type, and they are written as we write them. */
function verifiedOf(
  payload: JWTPayload,
  encoded: string,
  { kid, algorithm }: TokenKey,
): VerifiedToken | undefined {
  const { sid, sub, aud, jti, exp, iat, nbf } = payload;
  if (typeof sid !== "string" || typeof sub !== "string" || typeof aud !== "string") return;
  if (typeof jti !== "string" || exp === undefined) return;
  if (![exp, iat, nbf].every(Number.isSafeInteger)) return;
  if (Buffer.from(JSON.stringify(payload)).toString("base64url") !== encoded) return;
  return { sessionId: sid, userId: sub, exp, kid, algorithm };
}

function payloadOf(token: VerifiedToken, session: Session | undefined): TokenPayload {
  if (session === undefined || session.userId !== token.userId) throw refused();
  return {
    userId: session.userId,
    sessionId: session.id,
    email: session.email,
    name: session.name,
    roles: session.roles,
    methods: session.methods,
    exp: token.exp,
  };
}
