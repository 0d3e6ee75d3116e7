/** Algorithms of access tokens. A key has one of them, and verifies with no other. */
export type TokenAlgorithm = "HS256" | AsymmetricAlgorithm;
export type AsymmetricAlgorithm = "EdDSA" | "ES256";

/** A key that verifies access tokens. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** The encoded header of every token of this key: a token with another header is none of its tokens. */
  readonly header: string;
  readonly verifying: CryptoKey;
}

/** A key that makes access tokens too. */
export interface SigningKey extends TokenKey {
  readonly signing: CryptoKey;
}

export interface TokenHeader {
  readonly alg: TokenAlgorithm;
  readonly typ: typeof TOKEN_TYPE;
  readonly kid: string;
}

/** RFC 9068 section 2.1. */
export const TOKEN_TYPE = "at+jwt";

/** headerOf is the header of a key's tokens: the algorithm is the key's, and nothing else is ever said in it. */
export const headerOf = (alg: TokenAlgorithm, kid: string): TokenHeader => ({
  alg,
  typ: TOKEN_TYPE,
  kid,
});

export const encodedHeader = (alg: TokenAlgorithm, kid: string): string =>
  Buffer.from(JSON.stringify(headerOf(alg, kid))).toString("base64url");
