import type { Awaitable } from "../../core/index.ts";

/** Algorithms of access tokens. A key has one of them, and verifies with no other. */
export type TokenAlgorithm = "HS256" | AsymmetricAlgorithm;
export type AsymmetricAlgorithm = "EdDSA" | "ES256";

/** A key that verifies access tokens. What verifies is the key's own doing: a token has no say in it. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** The encoded header of every token of this key: a token with another header is none of its tokens. */
  readonly header: string;
  /** verifies tells whether this key made the signature (in base64url, in the one spelling that it has) of a text. */
  verifies(text: string, signature: string): Awaitable<boolean>;
}

/** A key that makes access tokens too. */
export interface SigningKey extends TokenKey {
  /** sign returns the signature of a text in base64url. */
  sign(text: string): Awaitable<string>;
}

/** RFC 9068 section 2.1. */
const TYPE = "at+jwt";

/** headerOf is the encoded header of a key's tokens: the algorithm is the key's, and nothing else is ever said in it. */
export const headerOf = (alg: TokenAlgorithm, kid: string): string =>
  Buffer.from(JSON.stringify({ alg, typ: TYPE, kid })).toString("base64url");
