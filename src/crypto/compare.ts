import { createHash, timingSafeEqual } from "node:crypto";

/** sha256 of bytes or of the UTF-8 of a text. */
export const sha256 = (value: string | Uint8Array): Buffer =>
  createHash("sha256").update(value).digest();

/** digestsEqual compares two digests in constant time; unequal lengths are a plain false. */
export const digestsEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && timingSafeEqual(a, b);
