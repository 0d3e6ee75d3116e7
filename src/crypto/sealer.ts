import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { KeyRing, SealingKey } from "./key-ring.ts";

/** Where a sealed value belongs. It opens nowhere else. */
export interface SealContext {
  /** What it is for, such as `totp`; every purpose has keys of its own. */
  readonly purpose: string;
  readonly tenant?: string | undefined;
  readonly table: string;
  readonly column: string;
  readonly row: string;
}

/** SealError is every failure to open a sealed value: malformed, changed, moved, or of a key that is not there. It says no more. */
export class SealError extends Error {
  override readonly name = "SealError";

  constructor() {
    super("the sealed value cannot be opened");
  }
}

const VERSION = 1;
const KEY_ID = 32;
const IV = 12;
const TAG = 16;
const HEAD = 1 + KEY_ID + IV;
const TEXT = /^[A-Za-z0-9_-]+$/;

/**
 * Sealer encrypts values that must be read back (AES-256-GCM). A sealed value is base64url of version (1 byte), key id (32), IV
 * (12), ciphertext and tag (16). The key id is derived from the key, so that it finds the key and commits to it; version, key id and the
 * context are authenticated with the value.
 */
export class Sealer {
  readonly #keys: KeyRing;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  /** seal encrypts with the newest key; the same value is another text each time. */
  seal(value: string | Uint8Array, context: SealContext): string {
    const [key] = this.#keys.sealing(context.purpose);
    const iv = randomIv();
    const cipher = createCipheriv("aes-256-gcm", key.bytes, iv, { authTagLength: TAG });
    cipher.setAAD(additionalData(VERSION, key.id, context));
    const plain = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    const parts = [Uint8Array.of(VERSION), key.id, iv, body, cipher.getAuthTag()];
    return Buffer.concat(parts).toString("base64url");
  }

  /** open returns the bytes of a sealed value. Throws only a SealError. */
  open(sealed: string, context: SealContext): Buffer {
    const { key, bytes } = this.#keyOf(sealed, context.purpose);
    const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(1 + KEY_ID, HEAD), {
      authTagLength: TAG,
    });
    decipher.setAAD(additionalData(bytes[0] ?? 0, key.id, context));
    decipher.setAuthTag(bytes.subarray(-TAG));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEAD, -TAG)), decipher.final()]);
    } catch {
      throw new SealError();
    }
  }

  /** openText returns the text of a sealed value. Throws only a SealError. */
  openText(sealed: string, context: SealContext): string {
    return this.open(sealed, context).toString("utf8");
  }

  /** isCurrent tells whether a value was sealed with the newest key. Throws only a SealError, for what is no sealed value of ours. */
  isCurrent(sealed: string, purpose: string): boolean {
    return this.#keyOf(sealed, purpose).key === this.#keys.sealing(purpose)[0];
  }

  #keyOf(sealed: string, purpose: string): { readonly key: SealingKey; readonly bytes: Buffer } {
    const bytes = TEXT.test(sealed) ? Buffer.from(sealed, "base64url") : Buffer.alloc(0);
    // One spelling alone: a decoder would pass over bits that mean nothing.
    const isWhole = bytes.byteLength >= HEAD + TAG && bytes.toString("base64url") === sealed;
    const id = bytes.subarray(1, 1 + KEY_ID);
    const key = isWhole ? this.#keys.sealing(purpose).find((one) => id.equals(one.id)) : undefined;
    if (key === undefined || bytes[0] !== VERSION) throw new SealError();
    return { key, bytes };
  }
}

/** Every part with its length before it, so that no other context reads the same. */
function additionalData(version: number, keyId: Uint8Array, context: SealContext): Buffer {
  const { purpose, tenant, table, column, row } = context;
  const parts: Uint8Array[] = [Uint8Array.of(version), keyId];
  for (const part of [purpose, tenant ?? "", table, column, row]) {
    const bytes = Buffer.from(part, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

const pool = Buffer.alloc(IV * 256);
let used = pool.byteLength;

/** IVs are cut from a pool of random bytes, each once: asking for twelve bytes at a time costs more than the encryption. */
function randomIv(): Buffer {
  if (used === pool.byteLength) {
    randomBytes(pool.byteLength).copy(pool);
    used = 0;
  }
  const iv = Buffer.from(pool.subarray(used, used + IV));
  used += IV;
  return iv;
}
