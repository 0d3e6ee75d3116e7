import { expect, test } from "vitest";
import { matchesAccessToken } from "./access-token-hash.ts";
import type { OidcAlgorithm } from "./index.ts";

// The access token and its hash in the example of OIDC Core appendix A.3.
const TOKEN = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const HASH = "77QmUPtjPfzWtF2AnpK9RQ";

test.each<[atHash: unknown, algorithm: OidcAlgorithm, matches: boolean]>([
  [HASH, "RS256", true],
  [HASH, "ES256", true],
  [undefined, "RS256", true],
  [HASH, "RS384", false],
  [HASH, "Ed25519", false],
  [HASH, "EdDSA", false],
  [`${HASH}=`, "RS256", false],
  [HASH.toLowerCase(), "RS256", false],
  ["", "RS256", false],
  [null, "RS256", false],
  [[HASH], "RS256", false],
])("%j under %s: %s", (atHash, algorithm, matches) => {
  expect(matchesAccessToken(atHash, TOKEN, algorithm)).toBe(matches);
});

test.each<[algorithm: OidcAlgorithm, length: number]>([
  ["PS256", 22],
  ["PS384", 32],
  ["ES512", 43],
  ["EdDSA", 43],
  ["Ed25519", 43],
])("%s has a hash of %i characters", async (algorithm, length) => {
  const name = { 22: "SHA-256", 32: "SHA-384", 43: "SHA-512" }[length] ?? "";
  const digest = Buffer.from(await crypto.subtle.digest(name, new TextEncoder().encode(TOKEN)));
  const half = digest.subarray(0, digest.byteLength / 2).toString("base64url");
  expect(half).toHaveLength(length);
  expect(matchesAccessToken(half, TOKEN, algorithm)).toBe(true);
});
