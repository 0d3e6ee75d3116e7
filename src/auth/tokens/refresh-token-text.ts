import { digestsEqual, hmacSha256, type KeyRing } from "../../crypto/index.ts";

/** A refresh token in its parts. */
export interface RefreshToken {
  readonly familyId: string;
  readonly generation: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

const TEXT = /^brt_([0-9a-f]{32})\.([1-9]\d{0,8})\.([A-Za-z0-9_-]{64})$/;
const SECRET_BYTES = 32;
const SEAL_BYTES = 16;

/** refreshKeys are the keys behind refresh tokens, the newest first. */
export function refreshKeys(keys: KeyRing): readonly [Uint8Array, ...Uint8Array[]] {
  const [newest, ...older] = keys.derive("refresh token");
  return [newest.bytes, ...older.map(({ bytes }) => bytes)];
}

/**
 * formatRefreshToken writes a token as `brt_<family>.<generation>.<secret>`. The secret ends in a MAC over all of it: what we
 * did not make is told from what we made and was used, which alone ends a session.
 */
export function formatRefreshToken(token: RefreshToken, key: Uint8Array): string {
  const secret = Buffer.concat([token.secret, sealOf(token, key)]).toString("base64url");
  return `brt_${token.familyId.replaceAll("-", "")}.${token.generation}.${secret}`;
}

/** parseRefreshToken returns the parts of a token that one of the ring's keys made, or undefined. */
export function parseRefreshToken(text: string, keys: KeyRing): RefreshToken | undefined {
  const [, family = "", generation = "", end = ""] = TEXT.exec(text) ?? [];
  if (family === "") return undefined;
  const bytes = Buffer.from(end, "base64url");
  const token: RefreshToken = {
    familyId: family.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    generation: Number(generation),
    secret: bytes.subarray(0, SECRET_BYTES),
  };
  const seal = bytes.subarray(SECRET_BYTES);
  const isOurs = refreshKeys(keys).some((key) => digestsEqual(sealOf(token, key), seal));
  return isOurs ? token : undefined;
}

const sealOf = ({ familyId, generation, secret }: RefreshToken, key: Uint8Array): Buffer =>
  hmacSha256(key, "seal", familyId, String(generation), secret).subarray(0, SEAL_BYTES);
