import { webcrypto } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { type SealContext, SealError, type Sealer } from "../../crypto/index.ts";
import { type AsymmetricAlgorithm, headerOf, type SigningKey } from "./token-key.ts";

/** PublicJwk is a public key as others may read it (RFC 7517): these members, and never one more. */
export interface PublicJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
  readonly kid: string;
  readonly alg: AsymmetricAlgorithm;
  readonly use: "sig";
}

/** A key pair as it is stored. */
export interface StoredPair {
  readonly id: string;
  readonly algorithm: string;
  readonly privateSealed: string;
}

export interface KeyPair extends SigningKey {
  readonly algorithm: AsymmetricAlgorithm;
  readonly jwk: PublicJwk;
}

const isAsymmetric = (name: string): name is AsymmetricAlgorithm =>
  name === "EdDSA" || name === "ES256";

/** makePair makes a key pair (RFC 8037 Ed25519, or P-256), its private part sealed. The `kid` is its thumbprint (RFC 7638). */
export async function makePair(
  algorithm: AsymmetricAlgorithm,
  sealer: Sealer,
): Promise<StoredPair & { readonly publicJwk: PublicJwk }> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  const id = await calculateJwkThumbprint(jwk);
  const privateSealed = sealer.seal(JSON.stringify(jwk), contextOf(id));
  return { id, algorithm, privateSealed, publicJwk: publicPart(jwk, id, algorithm) };
}

/**
 * openPair reads a stored pair. Both halves come from what is sealed, so that who can write rows, but has no secret of the
 * application, adds no key. Resolves to undefined where it cannot be opened: it is then no key of ours.
 */
export async function openPair(row: StoredPair, sealer: Sealer): Promise<KeyPair | undefined> {
  const { id: kid, algorithm } = row;
  const text = openText(sealer, row);
  if (text === undefined || !isAsymmetric(algorithm)) return undefined;
  const jwk = JSON.parse(text) as JWK;
  const publicJwk = publicPart(jwk, kid, algorithm);
  const [signing, verifying] = await Promise.all([
    importJWK(jwk, algorithm),
    importJWK({ ...publicJwk }, algorithm),
  ]);
  if (signing instanceof Uint8Array || verifying instanceof Uint8Array) return undefined;
  const use = USES[algorithm];
  return {
    kid,
    algorithm,
    header: headerOf(algorithm, kid),
    jwk: publicJwk,
    async sign(signed) {
      const bytes = await webcrypto.subtle.sign(use, signing, Buffer.from(signed));
      return Buffer.from(bytes).toString("base64url");
    },
    async verifies(signed, signature) {
      const bytes = Buffer.from(signature, "base64url");
      // The last letter may carry bits that a decoder passes over: only one spelling of a signature is one.
      if (bytes.toString("base64url") !== signature) return false;
      return webcrypto.subtle.verify(use, verifying, bytes, Buffer.from(signed));
    },
  };
}

/** RFC 8037 section 3.1 and RFC 7518 section 3.4. */
const USES = { EdDSA: { name: "Ed25519" }, ES256: { name: "ECDSA", hash: "SHA-256" } } as const;

function openText(sealer: Sealer, row: StoredPair): string | undefined {
  try {
    return sealer.openText(row.privateSealed, contextOf(row.id));
  } catch (error) {
    if (error instanceof SealError) return undefined;
    throw error;
  }
}

const contextOf = (kid: string): SealContext => ({
  purpose: "signing key",
  table: "signing_keys",
  column: "private_sealed",
  row: kid,
});

/** Member by member: what is not named here stays inside. */
function publicPart(jwk: JWK, kid: string, alg: AsymmetricAlgorithm): PublicJwk {
  const { kty, crv = "", x = "", y } = jwk;
  return { kty: kty ?? "", crv, x, ...(y === undefined ? {} : { y }), kid, alg, use: "sig" };
}
