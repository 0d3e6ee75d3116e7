import { hkdfSync, randomBytes } from "node:crypto";

/** One derived key and the id that what it made is marked with. */
interface DerivedKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A key that seals, and the 32 bytes that name it: an HKDF output of its own, which commits to the key. */
export interface SealingKey {
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
}

/** KeyRing derives a key of its own for every purpose from each of the application's secrets, newest first. */
export interface KeyRing {
  /** derive returns the 32-byte keys of a purpose; the first one makes, all of them verify. */
  derive(purpose: string): readonly [DerivedKey, ...DerivedKey[]];
  /** sealing returns the keys that seal values of a purpose, the newest first; the same objects each time. */
  sealing(purpose: string): readonly [SealingKey, ...SealingKey[]];
}

const SECRET = /^[A-Za-z0-9_-]{43,}$/;

/** generateSecret returns 32 random bytes in base64url, the form of a BULWARK_SECRET. */
export const generateSecret = (): string => randomBytes(32).toString("base64url");

/** secretProblem says what is wrong with a secret without showing it, or returns undefined. */
export function secretProblem(secret: string): string | undefined {
  if (!SECRET.test(secret)) {
    return `a value of ${secret.length} characters that is not base64url of 32 bytes or more`;
  }
  return new Set(secret).size < 16 ? "a value that repeats too few characters" : undefined;
}

/**
 * createKeyRing makes the ring of an application's secrets (HKDF-SHA-256, RFC 5869, the purpose in `info`).
 * Throws a RangeError only if there is no secret, or one is not as {@link generateSecret} makes them.
 */
export function createKeyRing(secrets: readonly string[]): KeyRing {
  for (const secret of secrets) {
    const problem = secretProblem(secret);
    if (problem !== undefined)
      throw new RangeError(`secret: expected 32 random bytes, came ${problem}`);
  }
  const material = secrets.map((secret) => Buffer.from(secret, "base64url"));
  if (material.length === 0) throw new RangeError("secret: expected at least one, came none");
  const sealing = new Map<string, readonly [SealingKey, ...SealingKey[]]>();
  return {
    sealing(purpose) {
      let keys = sealing.get(purpose);
      if (keys === undefined) {
        keys = material.map((bytes) => ({
          id: expand(bytes, `bulwark sealing key id\0${purpose}`),
          bytes: expand(bytes, `bulwark sealing key\0${purpose}`),
        })) as [SealingKey, ...SealingKey[]];
        sealing.set(purpose, keys);
      }
      return keys;
    },
    derive(purpose) {
      const keys = material.map((bytes) => ({
        id: Buffer.from(expand(bytes, `bulwark key id\0${purpose}`)).toString("base64url", 0, 12),
        bytes: expand(bytes, `bulwark key\0${purpose}`),
      }));
      return keys as [DerivedKey, ...DerivedKey[]];
    },
  };
}

const expand = (bytes: Uint8Array, info: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", bytes, new Uint8Array(), info, 32));
