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

  constructor(options: CSRFProtectionOptions) {
    this.#keys = options.keys;
  }

  /** generateToken returns a token of a session. Throws a TypeError only if the session is an empty text. */
  generateToken(session: string): string {
    if (session === "") throw new TypeError("session: expected an identifier, came an empty text");
    const [{ id, bytes }] = this.#keys.derive(PURPOSE);
    const nonce = randomText(16);
    return `${id}.${nonce}.${hmacSha256(bytes, nonce, session).toString("base64url")}`;
  }

  /** validateToken tells whether a token is one of this session. Whatever else it is, is a false. */
  validateToken(session: string, token: string | null): boolean {
    const [, id, nonce, mac] = TOKEN.exec(token ?? "") ?? [];
    if (session === "" || nonce === undefined || mac === undefined) return false;
    const key = this.#keys.derive(PURPOSE).find((one) => one.id === id);
    if (key === undefined) return false;
    return digestsEqual(hmacSha256(key.bytes, nonce, session), Buffer.from(mac, "base64url"));
  }
}
