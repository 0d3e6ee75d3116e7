export type { PublicJwk } from "./key-pair.ts";
export { type RefreshResult, RefreshTokens, type RefreshTokensOptions } from "./refresh-tokens.ts";
export { sessionAuthenticator } from "./session-authenticator.ts";
export { type Rotation, SigningKeys, type SigningKeysOptions } from "./signing-keys.ts";
export type { AsymmetricAlgorithm, TokenAlgorithm } from "./token-key.ts";
export { type TokenPayload, TokenService, type TokenServiceOptions } from "./token-service.ts";
