import { createHash } from "node:crypto";
import type { OidcAlgorithm } from "./oidc-config.ts";

/**
 * matchesAccessToken tells whether an `at_hash` is that of an access token: the left half of its hash, by the algorithm of the ID token
 * (OIDC Core section 3.1.3.8). A claim that is not there binds nothing, and matches.
 */
export function matchesAccessToken(
  atHash: unknown,
  accessToken: string,
  algorithm: OidcAlgorithm,
): boolean {
  if (atHash === undefined) return true;
  // Ed25519 hashes with SHA-512, as its name does not say.
  const bits = /\d{3}$/.exec(algorithm)?.[0] ?? "512";
  const hash = createHash(algorithm.startsWith("Ed") ? "sha512" : `sha${bits}`);
  const digest = hash.update(accessToken, "ascii").digest();
  return atHash === digest.subarray(0, digest.byteLength / 2).toString("base64url");
}
