import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { KeyRing } from "../../crypto/index.ts";
import { headerOf, type SigningKey } from "./token-key.ts";

const ALGORITHM = "HS256";

/** SecretKeys are the HS256 keys that follow from the application's secrets, the newest first. */
export class SecretKeys {
  readonly #ring: KeyRing;
  #keys: ReadonlyMap<string, SigningKey> | undefined;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** signer returns the key that signs. */
  signer(): SigningKey {
    const [newest] = this.#byHeader().values();
    if (newest === undefined) throw new TypeError("the key ring is empty");
    return newest;
  }

  /** find returns the key whose tokens have this encoded header. */
  find(header: string): SigningKey | undefined {
    return this.#byHeader().get(header);
  }

  /** Derived at the first use, since the ring may open later than this is made. */
  #byHeader(): ReadonlyMap<string, SigningKey> {
    this.#keys ??= new Map(
      this.#ring.derive("access token HS256").map(({ id, bytes }) => {
        const key = hmacKey(id, bytes);
        return [key.header, key];
      }),
    );
    return this.#keys;
  }
}

/** On this thread: a MAC of a short text takes less time than a thread needs to take it up. */
function hmacKey(kid: string, bytes: Uint8Array): SigningKey {
  const secret = createSecretKey(bytes);
  const sign = (text: string): string =>
    createHmac("sha256", secret).update(text).digest("base64url");
  return {
    kid,
    algorithm: ALGORITHM,
    header: headerOf(ALGORITHM, kid),
    sign,
    verifies(text, signature) {
      const [expected, given] = [Buffer.from(sign(text)), Buffer.from(signature)];
      return expected.byteLength === given.byteLength && timingSafeEqual(expected, given);
    },
  };
}
