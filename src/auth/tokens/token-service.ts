import { createSecretKey, hash, type KeyObject } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
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

export interface TokenServiceOptions {
  readonly keys: KeyRing;
  readonly sessions: SessionStore;
  /** `iss` and `aud` of the tokens. */
  readonly issuer: string;
  readonly clock?: Clock | undefined;
  /** Life of an access token. Default 1h. */
  readonly lifetime?: string | undefined;
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

interface VerifiedToken {
  readonly handle: string;
  readonly subject: string;
  readonly exp: number;
}

const ALGORITHM = "HS256";
const TYPE = "at+jwt";
const REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"];
/** A longer text is no token of ours, and is not parsed. */
const MAX_LENGTH = 2_048;
/** The one spelling of a compact JWS (RFC 7515 section 7.1): no padding, no white space, which decoders would pass over. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_CACHED = 20_000;

const refused = (cause?: unknown): UnauthorizedError =>
  new UnauthorizedError("The credential is not valid.", { cause });

const expired = (): UnauthorizedError =>
  new UnauthorizedError("The token has expired.", { code: "TOKEN_EXPIRED" });

/**
 * TokenService makes and verifies access tokens (RFC 9068 in shape): HS256 with keys derived from the application's
 * secrets, the algorithm pinned to the key. A token only names a session, which is read on every verification: that is what
 * decides, and where the roles come from.
 */
export class TokenService {
  readonly #sessions: SessionStore;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #ring: KeyRing;
  #keys: ReadonlyMap<string, KeyObject> | undefined;
  readonly #verified = new Map<string, VerifiedToken>();

  constructor(options: TokenServiceOptions) {
    this.#sessions = options.sessions;
    this.#issuer = options.issuer;
    this.#clock = options.clock ?? systemClock;
    this.#lifetimeMs = parseDuration(options.lifetime ?? "1h", "lifetime");
    this.#ring = options.keys;
  }

  /** Seconds that a new token lives. */
  get expiresIn(): number {
    return Math.floor(this.#lifetimeMs / 1_000);
  }

  /** generateToken returns an access token of a session, which ends with the session at the latest. */
  async generateToken(session: {
    readonly userId: string;
    readonly sessionId: string;
    readonly expiresAt: number;
  }): Promise<string> {
    const now = this.#clock.now();
    const iat = Math.floor(now / 1_000);
    const exp = Math.floor(Math.min(now + this.#lifetimeMs, session.expiresAt) / 1_000);
    const [[kid, key] = raise()] = this.#keyById();
    return new SignJWT({ sid: session.sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(this.#issuer)
      .setAudience(this.#issuer)
      .setSubject(session.userId)
      .setJti(uuidv7(now))
      .setIssuedAt(iat)
      .setNotBefore(iat)
      .setExpirationTime(exp)
      .sign(key);
  }

  /**
   * verifyToken returns what a token stands for now. Rejects with an UnauthorizedError (TOKEN_EXPIRED, or
   * UNAUTHORIZED for everything else that is wrong with it), and with another error only where the session cannot be read.
   */
  verifyToken(token: string): Awaitable<TokenPayload> {
    if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw refused();
    const digest = hash("sha256", token, "base64url");
    const known = this.#verified.get(digest);
    if (known === undefined) {
      return this.#verify(token, digest).then((verified) => this.#resolve(verified));
    }
    if (known.exp * 1_000 > this.#clock.now()) return this.#resolve(known);
    this.#verified.delete(digest);
    throw expired();
  }

  async #verify(token: string, digest: string): Promise<VerifiedToken> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.#keyOf(kid), {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: this.#issuer,
        audience: this.#issuer,
        requiredClaims: REQUIRED,
        currentDate: new Date(this.#clock.now()),
      });
      const { sid, sub, exp } = payload;
      if (typeof sid !== "string" || sub === undefined || exp === undefined) throw refused();
      const verified = { handle: sid, subject: sub, exp };
      if (this.#verified.size >= MAX_CACHED) this.#verified.clear();
      this.#verified.set(digest, verified);
      return verified;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expired();
      throw error instanceof errors.JOSEError ? refused(error) : error;
    }
  }

  /** The keys of the ring, the newest first; derived at the first use, since the ring may open later than this is made. */
  #keyById(): ReadonlyMap<string, KeyObject> {
    this.#keys ??= new Map(
      this.#ring.derive("access token HS256").map(({ id, bytes }) => [id, createSecretKey(bytes)]),
    );
    return this.#keys;
  }

  #keyOf(kid: string | undefined): KeyObject {
    const key = kid === undefined ? undefined : this.#keyById().get(kid);
    if (key === undefined) throw refused();
    return key;
  }

  #resolve(token: VerifiedToken): Awaitable<TokenPayload> {
    const session = this.#sessions.read(token.handle);
    return isPromise(session)
      ? session.then((read) => payloadOf(token, read))
      : payloadOf(token, session);
  }
}

const raise = (): never => {
  throw new TypeError("the key ring is empty");
};

function payloadOf(token: VerifiedToken, session: Session | undefined): TokenPayload {
  if (session === undefined || session.userId !== token.subject) throw refused();
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
