import { createHmac, randomBytes } from "node:crypto";

/** hmacSha256 of texts or bytes, each with its length before it, so that no other parts read the same. */
export function hmacSha256(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    mac.update(length).update(bytes);
  }
  return mac.digest();
}

/** randomText returns random bytes in base64url. */
export const randomText = (bytes: number): string => randomBytes(bytes).toString("base64url");
