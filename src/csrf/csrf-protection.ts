import { digestsEqual, hmacSha256, type KeyRing, randomText } from "../crypto/index.ts";

export interface CSRFProtectionOptions {
  readonly keys: KeyRing;
}

const TOKEN = /^([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const PURPOSE = "csrf token HS256";

/**
 * CSRFProtection makes and checks tokens that are bound to a session: an HMAC over the session and a nonce, another text each time,
 * so that a compressed answer tells nothing of it. A token of an older secret is good until that secret is removed.
 */
export class CSRFProtection {
  readonly #keys: KeyRing;
  #derived: ReturnType<KeyRing["derive"]> | undefined;

  constructor(options: CSRFProtectionOptions) {
    this.#keys = options.keys;
  }

  /** generateToken returns a token of a session. Throws a TypeError only if the session is an empty text. */
  generateToken(session: string): string {
    if (session === "") throw new TypeError("session: expected an identifier, came an empty text");
    const [{ id, bytes }] = this.#derive();
    const nonce = randomText(16);
    return `${id}.${nonce}.${macOf(bytes, nonce, session)}`;
  }

  /** validateToken tells whether a token is one of this session. Whatever else it is, is a false. */
  validateToken(session: string, token: string | null): boolean {
    const [, id, nonce, mac] = TOKEN.exec(token ?? "") ?? [];
    if (session === "" || nonce === undefined || mac === undefined) return false;
    const key = this.#derive().find((one) => one.id === id);
    if (key === undefined) return false;
    // As texts: other characters can stand for the same bytes.
    return digestsEqual(Buffer.from(macOf(key.bytes, nonce, session)), Buffer.from(mac));
  }

  /** A ring may be opened after this is made, and never changes afterwards. */
  #derive(): ReturnType<KeyRing["derive"]> {
    this.#derived ??= this.#keys.derive(PURPOSE);
    return this.#derived;
  }
}

const macOf = (key: Uint8Array, nonce: string, session: string): string =>
  hmacSha256(key, nonce, session).toString("base64url");
