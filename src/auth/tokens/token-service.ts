import { hash } from "node:crypto";
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
import { readClaims } from "./token-claims.ts";
import type { SigningKey, TokenAlgorithm, TokenKey } from "./token-key.ts";
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
  readonly tenantId: string | undefined;
  readonly roles: readonly string[];
  /** Permissions of roles that were made at run time. */
  readonly permissions: readonly string[];
  readonly methods: readonly ProvedFactor[];
  readonly exp: number;
}

/** A longer text is no token of ours, and is not parsed. */
const MAX_LENGTH = 2_048;
/** The one spelling of a compact JWS (RFC 7515 section 7.1): no padding, no white space, which decoders would pass over. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const refused = (): UnauthorizedError => new UnauthorizedError("The credential is not valid.");

const expired = (): UnauthorizedError =>
  new UnauthorizedError("The token has expired.", { code: "TOKEN_EXPIRED" });

/**
 * TokenService makes and verifies access tokens (RFC 9068 in shape). A token's header must be, to the letter, the one that its key writes:
 * the key says the algorithm, and no other member of a header is ever looked at (RFC 8725 section 3.1). A token only
 * names a session, which is read on every verification: that is what decides, and where the roles come from.
 */
export class TokenService {
  /** The asymmetric keys, to be rotated and removed; undefined where HS256 alone is used. */
  readonly signingKeys: SigningKeys | undefined;
  readonly #sessions: SessionStore;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #algorithm: TokenAlgorithm;
  readonly #accepted: ReadonlySet<TokenAlgorithm>;
  readonly #secretKeys: SecretKeys;
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
    this.signingKeys = options.signingKeys;
    this.#verified = new VerifiedTokens(options.maxRemembered ?? 20_000);
    checkKeys(this.#algorithm, this.#accepted, this.signingKeys, this.#lifetimeMs);
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
    const key = await this.#signer();
    const now = this.#clock.now();
    const iat = Math.floor(now / 1_000);
    const exp = Math.floor(Math.min(now + this.#lifetimeMs, session.expiresAt) / 1_000);
    const { userId: sub, sessionId: sid } = session;
    const iss = this.#issuer;
    const claims = { iss, aud: iss, sub, sid, jti: uuidv7(now), iat, nbf: iat, exp };
    const text = `${key.header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    return `${text}.${await key.sign(text)}`;
  }

  /** jwks returns the public keys (RFC 7517), also of a successor that does not sign yet; none where HS256 alone signs. */
  async jwks(): Promise<{ readonly keys: readonly PublicJwk[] }> {
    if (this.#algorithm === "HS256" || this.signingKeys === undefined) return { keys: [] };
    const keys = await this.signingKeys.published();
    return { keys: keys.filter(({ alg }) => this.#accepted.has(alg)) };
  }

  /**
   * verifyToken returns what a token stands for now. Throws or rejects with an UnauthorizedError (TOKEN_EXPIRED, or
   * UNAUTHORIZED for everything else that is wrong with it), and with another error only where the keys or the session cannot be read.
   */
  verifyToken(token: string): Awaitable<TokenPayload> {
    if (token.length > MAX_LENGTH) throw refused();
    const digest = hash("sha256", token, "base64url");
    const known = this.#verified.get(digest);
    if (known === undefined) return this.#verify(token, digest);
    if (known.exp * 1_000 <= this.#clock.now()) {
      this.#verified.delete(digest);
      throw expired();
    }
    return after(this.#isKeyThere(known), (isThere) => this.#recall(known, digest, isThere));
  }

  /** A token that was verified is worth nothing any more once its key has gone. */
  #recall(known: VerifiedToken, digest: string, isKeyThere: boolean): Awaitable<TokenPayload> {
    if (isKeyThere) return this.#resolve(known);
    this.#verified.delete(digest);
    throw refused();
  }

  #verify(token: string, digest: string): Awaitable<TokenPayload> {
    if (!COMPACT.test(token)) throw refused();
    const key = this.#keyOf(token.slice(0, token.indexOf(".")));
    return after(key, (found) => this.#verifyBy(found, token, digest));
  }

  #verifyBy(key: TokenKey | undefined, token: string, digest: string): Awaitable<TokenPayload> {
    if (key === undefined) throw refused();
    const end = token.lastIndexOf(".");
    const isSigned = key.verifies(token.slice(0, end), token.slice(end + 1));
    return after(isSigned, (signed) => this.#admit(key, token, digest, signed));
  }

  #admit(
    { kid, algorithm }: TokenKey,
    token: string,
    digest: string,
    isSigned: boolean,
  ): Awaitable<TokenPayload> {
    const [, encoded = ""] = token.split(".", 2);
    const claims = isSigned ? readClaims(encoded) : undefined;
    if (claims === undefined || claims.iss !== this.#issuer || claims.aud !== this.#issuer) {
      throw refused();
    }
    const now = this.#clock.now() / 1_000;
    if (claims.nbf > now) throw refused();
    if (claims.exp <= now) throw expired();
    const { sid: sessionId, sub: userId, exp } = claims;
    const verified = { sessionId, userId, exp, kid, algorithm };
    this.#verified.set(digest, verified);
    return this.#resolve(verified);
  }

  #keyOf(header: string): Awaitable<TokenKey | undefined> {
    const secret = this.#accepted.has("HS256") ? this.#secretKeys.find(header) : undefined;
    if (secret !== undefined || this.signingKeys === undefined) return secret;
    return after(this.signingKeys.find(header), (key) =>
      key !== undefined && this.#accepted.has(key.algorithm) ? key : undefined,
    );
  }

  #isKeyThere({ kid, algorithm }: VerifiedToken): Awaitable<boolean> {
    return algorithm === "HS256" || (this.signingKeys?.has(kid) ?? false);
  }

  #signer(): Awaitable<SigningKey> {
    if (this.#algorithm === "HS256" || this.signingKeys === undefined) {
      return this.#secretKeys.signer();
    }
    return this.signingKeys.signer();
  }

  #resolve(token: VerifiedToken): Awaitable<TokenPayload> {
    return after(this.#sessions.read(token.sessionId), (session) => payloadOf(token, session));
  }
}

/** What is known goes on at once: a repeated token costs no turn of the event loop. */
const after = <T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> =>
  isPromise(value) ? value.then(next) : next(value);

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

function payloadOf(token: VerifiedToken, session: Session | undefined): TokenPayload {
  if (session === undefined || session.userId !== token.userId) throw refused();
  const isKeyGone =
    token.algorithm !== "HS256" && session.signingKeys?.includes(token.kid) === false;
  if (isKeyGone) throw refused();
  return {
    userId: session.userId,
    sessionId: session.id,
    email: session.email,
    name: session.name,
    tenantId: session.tenantId,
    roles: session.roles,
    permissions: session.permissions,
    methods: session.methods,
    exp: token.exp,
  };
}
