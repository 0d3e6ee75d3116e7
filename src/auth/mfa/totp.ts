import { createHmac } from "node:crypto";
import { digestsEqual } from "../../crypto/index.ts";
import { toBase32 } from "./base32.ts";

const STEP_MS = 30_000;
const DIGITS = 6;
const CODE = /^\d{6}$/;

/** stepAt is the number of 30-second steps since 1970 (RFC 6238 section 4.2). */
export const stepAt = (now: number): number => Math.floor(now / STEP_MS);

/** totpCode is the code of a step: HMAC-SHA-1, six digits (RFC 6238, RFC 4226 section 5.3). */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  // Signed, since the step before the first one has a number too.
  counter.writeBigInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/**
 * matchStep returns the step whose code this is, of the current one and the one before it, or undefined. Spaces that a person
 * types between digits do not matter. Whoever accepts the code must see to it that its step is never accepted again.
 */
export function matchStep(secret: Uint8Array, typed: string, now: number): number | undefined {
  const code = typed.replaceAll(/[ \u00a0]/g, "");
  if (typed.length > 16 || !CODE.test(code)) return undefined;
  const given = Buffer.from(code);
  const current = stepAt(now);
  let matched: number | undefined;
  for (const step of [current - 1, current]) {
    if (digestsEqual(given, Buffer.from(totpCode(secret, step)))) matched = step;
  }
  return matched;
}

/** otpauthUri is what an authenticator app reads from a QR code. */
export function otpauthUri(secret: Uint8Array, issuer: string, account: string): string {
  // The label's colon separates issuer and account: neither may hold one.
  const [shown, name] = [issuer, account].map((part) =>
    encodeURIComponent(part.replaceAll(":", " ").trim()),
  );
  const query = `secret=${toBase32(secret)}&issuer=${shown}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1_000}`;
  return `otpauth://totp/${shown}:${name}?${query}`;
}
