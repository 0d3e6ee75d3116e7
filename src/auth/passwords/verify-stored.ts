import { pbkdf2, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { verify as verifyArgon2 } from "@node-rs/argon2";
import { digestsEqual } from "../../crypto/index.ts";
import { loadBcrypt, type PepperedBcrypt } from "./bcrypt.ts";
import type { StoredHash } from "./stored-hash.ts";

/**
 * isBeyond tells whether a hash cannot be asked about a password: because its algorithm does not read it whole, so that
 * another one would verify as well (bcrypt stops after 72 bytes and at a NUL; HMAC, the base of PBKDF2 and scrypt, pads a
 * short key with NULs), or because the key of its pepper is gone.
 */
export function isBeyond(
  password: string,
  stored: StoredHash,
  own: PepperedBcrypt | undefined,
): boolean {
  if (stored.scheme === "argon2") return false;
  if (stored.scheme === "own-bcrypt") return own === undefined || !own.knows(stored.keyId);
  const isCut = stored.scheme === "bcrypt" && Buffer.byteLength(password) > 72;
  return isCut || password.includes("\0");
}

/**
 * verifyStored tells whether a password, prepared (NFC), made this hash; it is false of one that is beyond it. Rejects only
 * if @node-rs/bcrypt is needed and not installed, or if the machine has no memory for it.
 */
export async function verifyStored(
  password: string,
  stored: StoredHash,
  own: PepperedBcrypt | undefined,
): Promise<boolean> {
  if (isBeyond(password, stored, own)) return false;
  switch (stored.scheme) {
    case "argon2":
      // What the library cannot read verifies nothing.
      return verifyArgon2(stored.hash, password).catch(() => false);
    case "bcrypt":
      return (await loadBcrypt()).verify(password, stored.hash);
    case "own-bcrypt":
      return own === undefined ? false : own.verify(password, stored.keyId, stored.hash);
    case "scrypt":
      return digestsEqual(await scryptOf(password, stored), stored.digest);
    case "pbkdf2":
      return digestsEqual(await pbkdf2Of(password, stored), stored.digest);
  }
}

/** standIn returns a hash of nobody's password that costs exactly what verifying this one does. */
export function standIn(stored: StoredHash): StoredHash {
  switch (stored.scheme) {
    case "argon2": {
      const base64 = (bytes: number): string =>
        randomBytes(bytes).toString("base64").replaceAll("=", "");
      return { ...stored, hash: `${stored.recipe}$${base64(16)}$${base64(32)}` };
    }
    case "bcrypt":
    case "own-bcrypt": {
      // The last characters of salt and digest end in bits that must be none, or the library refuses without work.
      const text = randomBytes(26).toString("hex");
      const parts = [stored.hash.slice(0, 7), text.slice(0, 21), "O", text.slice(21, 51), "."];
      return { ...stored, hash: parts.join("") };
    }
    case "scrypt":
    case "pbkdf2":
      return {
        ...stored,
        salt: randomBytes(stored.salt.length),
        digest: randomBytes(stored.digest.length),
      };
  }
}

type Scrypt = Extract<StoredHash, { scheme: "scrypt" }>;
type Pbkdf2 = Extract<StoredHash, { scheme: "pbkdf2" }>;

const pbkdf2Of = (password: string, { salt, iterations, digest, function: name }: Pbkdf2) =>
  promisify(pbkdf2)(password, salt, iterations, digest.length, name);

function scryptOf(password: string, { salt, digest, cost, blockSize, lanes }: Scrypt) {
  // Node's bound counts what OpenSSL allocates: N and p blocks, and a little more.
  const maxmem = 128 * blockSize * (cost + lanes + 2) + 65_536;
  const options = { N: cost, r: blockSize, p: lanes, maxmem };
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, digest.length, options, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    );
  });
}
