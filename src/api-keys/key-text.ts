import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/** Which kind of deployment a key is for; a deployment accepts those of its own kind alone. */
export type KeyEnvironment = "live" | "test";

/** KeyText is a key taken apart. `idText` is its id as it stands in the key. */
export interface KeyText {
  readonly environment: KeyEnvironment;
  readonly idText: string;
  readonly secret: string;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 22;
/** 32 characters of 62 are 190 bits. */
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TAIL_LENGTH = SECRET_LENGTH + CHECKSUM_LENGTH;
const ENVIRONMENTS: readonly KeyEnvironment[] = ["live", "test"];
const PREFIX = /^[a-z][a-z0-9]{1,15}$/;

/** isKeyPrefix tells a prefix that keys can have: 2 to 16 small letters and digits, a letter first. */
export const isKeyPrefix = (text: unknown): text is string =>
  typeof text === "string" && PREFIX.test(text);

/**
 * apiKeyPattern is the regular expression by which a scanner finds keys in a text, as a source that Go, RE2, Rust and PCRE read too:
 * `<prefix>_<live|test>_<22>_<38>`, of which the last 6 characters are the checksum. It takes time in proportion to the text.
 * Throws a TypeError only if the prefix is none.
 */
export function apiKeyPattern(prefix = "bwk"): RegExp {
  checkPrefix(prefix);
  const text = `\\b${prefix}_(?:live|test)_[0-9A-Za-z]{${ID_LENGTH}}_[0-9A-Za-z]{${TAIL_LENGTH}}\\b`;
  return new RegExp(text, "g");
}

function checkPrefix(prefix: string): void {
  if (isKeyPrefix(prefix)) return;
  const expected = "2 to 16 small letters and digits, a letter first";
  throw new TypeError(`prefix: expected ${expected}, came ${JSON.stringify(prefix)}`);
}

/** createKeyText makes the key of an id (a UUID) with a new secret. */
export function createKeyText(
  prefix: string,
  environment: KeyEnvironment,
  id: string,
): { readonly key: string; readonly secret: string } {
  checkPrefix(prefix);
  const secret = randomBase62(SECRET_LENGTH);
  const body = `${prefix}_${environment}_${idTextOf(id)}_${secret}`;
  return { key: body + checksumOf(body), secret };
}

/**
 * keyParser returns the function that takes keys of a prefix apart, or answers undefined: length, prefix, environment, characters and
 * checksum are judged before anything is looked up (a typing error, a cut text and a guess cost no read).
 */
export function keyParser(prefix: string): (text: string) => KeyText | undefined {
  checkPrefix(prefix);
  const heads = ENVIRONMENTS.map((environment) => ({
    environment,
    head: `${prefix}_${environment}_`,
  }));
  const headLength = prefix.length + 6;
  const length = headLength + ID_LENGTH + 1 + TAIL_LENGTH;
  const idEnd = headLength + ID_LENGTH;
  const bodyEnd = length - CHECKSUM_LENGTH;
  return (text) => {
    if (text.length !== length || text.charCodeAt(idEnd) !== UNDERSCORE) return undefined;
    const kind = heads.find(({ head }) => text.startsWith(head));
    if (kind === undefined) return undefined;
    for (let index = headLength; index < length; index += 1) {
      if (index !== idEnd && !isBase62(text.charCodeAt(index))) return undefined;
    }
    if (checksumOf(text.slice(0, bodyEnd)) !== text.slice(bodyEnd)) return undefined;
    return {
      environment: kind.environment,
      idText: text.slice(headLength, idEnd),
      secret: text.slice(idEnd + 1, bodyEnd),
    };
  };
}

const UNDERSCORE = "_".charCodeAt(0);

const isBase62 = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** checksumOf is the CRC-32 (ISO 3309, as in zlib) of a text in 6 digits of base 62. It tells slips, and proves nothing. */
const checksumOf = (text: string): string => toBase62(crc32(text), CHECKSUM_LENGTH);

function toBase62(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i += 1) {
    text = ALPHABET.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** The largest multiple of 62 in a byte: what is above it would make some characters likelier than others. */
const FAIR = 248;

/** randomBase62 returns characters that are all equally likely. */
function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < FAIR && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}

/** idTextOf writes a UUID in 22 digits of base 62. */
export function idTextOf(id: string): string {
  let rest = BigInt(`0x${id.replaceAll("-", "")}`);
  let text = "";
  for (let i = 0; i < ID_LENGTH; i += 1) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** idOf reads what {@link idTextOf} wrote; undefined where the number is none of 128 bits. */
export function idOf(idText: string): string | undefined {
  let value = 0n;
  for (const digit of idText) value = value * 62n + BigInt(ALPHABET.indexOf(digit));
  const hex = value.toString(16).padStart(32, "0");
  if (hex.length > 32) return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** hintOf is what of a key may be shown: all but its secret. */
export const hintOf = (prefix: string, environment: KeyEnvironment, id: string): string =>
  `${prefix}_${environment}_${idTextOf(id)}`;
