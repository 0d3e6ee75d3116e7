/** What a stored hash says of itself: how it was made, at what cost, and the parts of it. */
export type StoredHash =
  | { readonly scheme: "argon2"; readonly recipe: string; readonly hash: string }
  | { readonly scheme: "bcrypt"; readonly recipe: string; readonly hash: string }
  | {
      readonly scheme: "own-bcrypt";
      readonly recipe: string;
      readonly hash: string;
      /** The id of the key that the pepper is derived from. */
      readonly keyId: string;
    }
  | {
      readonly scheme: "scrypt";
      readonly recipe: string;
      readonly cost: number;
      readonly blockSize: number;
      readonly lanes: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly scheme: "pbkdf2";
      readonly recipe: string;
      readonly function: "sha256" | "sha512";
      readonly iterations: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    };

/** A hash that was read, or what keeps it from being verified. */
type Reading = StoredHash | { readonly fault: string };

/** One number of a hash, and the range in which it is verified. */
type Cost = readonly [name: string, value: number, least: number, most: number];

/** The prefix of bcrypt as this package makes it: the key's id stands where a bare bcrypt hash has its version. */
export const OWN_BCRYPT = "$bulwark-bcrypt$k=";

/**
 * readStoredHash returns the parts of a stored hash, or undefined where it is malformed, of another algorithm, or asks for
 * more work than a verification may take.
 */
export function readStoredHash(hash: string): StoredHash | undefined {
  const reading = read(hash);
  return "fault" in reading ? undefined : reading;
}

/**
 * checkImportedHash lets an importer refuse what could never be verified: `$argon2id$`, `$argon2i$`, `$argon2d$`, `$2a$`,
 * `$2b$`, `$2y$`, `$scrypt$ln=`, `$pbkdf2-sha256$` and `$pbkdf2-sha512$` pass, within these costs: argon2 up to 262,144 KiB,
 * 10 passes, 8 lanes and 1,048,576 KiB times passes; bcrypt 4 to 15; scrypt up to 256 MiB (128 * N * r) and N * r * p up to
 * 2,097,152; PBKDF2 up to 2,000,000 iterations times blocks of output. Throws a RangeError only if the hash is none of
 * these, and names what was out of range; it shows nothing of salt and digest.
 */
export function checkImportedHash(hash: string): void {
  const reading = read(hash);
  if ("fault" in reading) throw new RangeError(`hash: ${reading.fault}`);
}

function read(hash: string): Reading {
  if (hash.length > 512) return { fault: `expected at most 512 characters, came ${hash.length}` };
  if (hash.startsWith("$argon2")) return readArgon2(hash);
  if (hash.startsWith("$2")) return readBcrypt(hash);
  if (hash.startsWith(OWN_BCRYPT)) return readOwnBcrypt(hash);
  if (hash.startsWith("$scrypt$")) return readScrypt(hash);
  if (hash.startsWith("$pbkdf2-")) return readPbkdf2(hash);
  return { fault: "expected argon2, bcrypt, scrypt or pbkdf2 in its usual form, came another" };
}

const ARGON2 =
  /^(\$argon2(?:id|i|d)\$v=(?:16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10}))\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

function readArgon2(hash: string): Reading {
  const [, recipe, m, t, p] = ARGON2.exec(hash) ?? [];
  if (recipe === undefined) return malformed("$argon2id$v=19$m=,t=,p=$salt$hash");
  const [memory, passes, lanes] = [Number(m), Number(t), Number(p)];
  const fault = firstFault([
    ["argon2 lanes (p)", lanes, 1, 8],
    ["argon2 memory in KiB (m)", memory, 8 * lanes, 262_144],
    ["argon2 passes (t)", passes, 1, 10],
    ["argon2 memory times passes", memory * passes, 8, 1_048_576],
  ]);
  return fault ?? { scheme: "argon2", recipe, hash };
}

// 16 bytes of salt and 23 of a digest: their last characters have bits left that are none.
const BCRYPT = /^(\$2[aby]\$(\d\d)\$)[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.26CGKOSWaeimquy]$/;
const BCRYPT_COST = { least: 4, most: 15 };

function readBcrypt(hash: string): Reading {
  const [, recipe, cost] = BCRYPT.exec(hash) ?? [];
  if (recipe === undefined) return malformed("$2b$cost$ and 53 characters");
  return bcryptFault(Number(cost)) ?? { scheme: "bcrypt", recipe, hash };
}

const OWN =
  /^\$bulwark-bcrypt\$k=([A-Za-z0-9_-]{16})(\$2b\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.26CGKOSWaeimquy])$/;

function readOwnBcrypt(stored: string): Reading {
  const [, keyId, hash, cost] = OWN.exec(stored) ?? [];
  if (keyId === undefined || hash === undefined) return malformed(`${OWN_BCRYPT}id$2b$cost$...`);
  const recipe = `${OWN_BCRYPT}${keyId}$2b$${cost}$`;
  return bcryptFault(Number(cost)) ?? { scheme: "own-bcrypt", recipe, hash, keyId };
}

const bcryptFault = (cost: number): { fault: string } | undefined =>
  firstFault([["bcrypt cost", cost, BCRYPT_COST.least, BCRYPT_COST.most]]);

const SCRYPT =
  /^(\$scrypt\$ln=(\d{1,3}),r=(\d{1,10}),p=(\d{1,10}))\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)$/;

function readScrypt(hash: string): Reading {
  const [, recipe, ln, r, p, salt = "", digest = ""] = SCRYPT.exec(hash) ?? [];
  if (recipe === undefined) return malformed("$scrypt$ln=,r=,p=$salt$hash");
  const [cost, blockSize, lanes] = [2 ** Number(ln), Number(r), Number(p)];
  const bytes = { salt: decode(salt), digest: decode(digest) };
  const fault = firstFault([
    ["scrypt r", blockSize, 1, 1_024],
    // RFC 7914 section 2: N is below 2^(128 * r / 8).
    ["scrypt ln", Number(ln), 1, Math.min(21, 16 * blockSize - 1)],
    ["scrypt p", lanes, 1, 1_024],
    ["scrypt memory in bytes (128 * N * r)", 128 * cost * blockSize, 1, 268_435_456],
    ["scrypt work (N * r * p)", cost * blockSize * lanes, 1, 2_097_152],
    ...sizes(bytes),
  ]);
  return fault ?? { scheme: "scrypt", recipe, cost, blockSize, lanes, ...bytes };
}

const PBKDF2 =
  /^(\$pbkdf2-(sha256|sha512)\$(?:i=)?(\d{1,10})(?:,l=\d{1,3})?)\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)$/;

function readPbkdf2(hash: string): Reading {
  const [, recipe, name, i, salt = "", digest = ""] = PBKDF2.exec(hash) ?? [];
  if (recipe === undefined || (name !== "sha256" && name !== "sha512")) {
    return malformed("$pbkdf2-sha256$iterations$salt$hash, or sha512");
  }
  const iterations = Number(i);
  const bytes = { salt: decode(salt), digest: decode(digest) };
  const blocks = Math.ceil(bytes.digest.length / (name === "sha256" ? 32 : 64));
  const fault = firstFault([
    ["pbkdf2 iterations", iterations, 1, 2_000_000],
    ["pbkdf2 iterations times blocks", iterations * blocks, 1, 2_000_000],
    ...sizes(bytes),
  ]);
  return fault ?? { scheme: "pbkdf2", recipe, function: name, iterations, ...bytes };
}

/** A digest of fewer than 16 bytes would be met by guessing. */
const sizes = ({ salt, digest }: { salt: Buffer; digest: Buffer }): Cost[] => [
  ["bytes of salt", salt.length, 1, 64],
  ["bytes of hash", digest.length, 16, 64],
];

/** base64, in the standard alphabet (PHC) or in passlib's, which has a dot for the plus. */
const decode = (text: string): Buffer => Buffer.from(text.replaceAll(".", "+"), "base64");

const malformed = (form: string): { fault: string } => ({
  fault: `expected ${form}, came another form`,
});

function firstFault(costs: readonly Cost[]): { fault: string } | undefined {
  for (const [name, value, least, most] of costs) {
    if (value < least || value > most) {
      return { fault: `${name}: expected ${least} to ${most}, came ${value}` };
    }
  }
  return undefined;
}
