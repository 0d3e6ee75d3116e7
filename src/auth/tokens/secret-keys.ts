import { webcrypto } from "node:crypto";
import type { KeyRing } from "../../crypto/index.ts";
import { encodedHeader, type SigningKey } from "./token-key.ts";

const ALGORITHM = "HS256";

/** SecretKeys are the HS256 keys that follow from the application's secrets, the newest first. */
export class SecretKeys {
  readonly #ring: KeyRing;
  #loaded: ReadonlyMap<string, SigningKey> | undefined;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** The key that signs. */
  async signer(): Promise<SigningKey> {
    const [newest] = (await this.#load()).values();
    if (newest === undefined) throw new TypeError("the key ring is empty");
    return newest;
  }

  /** find returns the key whose tokens have this encoded header. */
  find(header: string): SigningKey | undefined | Promise<SigningKey | undefined> {
    if (this.#loaded !== undefined) return this.#loaded.get(header);
    return this.#load().then((keys) => keys.get(header));
  }

  /** Derived at the first use, since the ring may open later than this is made. */
  async #load(): Promise<ReadonlyMap<string, SigningKey>> {
    if (this.#loaded !== undefined) return this.#loaded;
    const keys = await Promise.all(
      this.#ring.derive("access token HS256").map(async ({ id, bytes }) => {
        const use = { name: "HMAC", hash: "SHA-256" };
        const key = await webcrypto.subtle.importKey("raw", bytes, use, false, ["sign", "verify"]);
        const header = encodedHeader(ALGORITHM, id);
        return { kid: id, algorithm: ALGORITHM, header, signing: key, verifying: key } as const;
      }),
    );
    this.#loaded = new Map(keys.map((key) => [key.header, key]));
    return this.#loaded;
  }
}
