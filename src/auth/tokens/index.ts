export { sessionAuthenticator } from "./session-authenticator.ts";
export { type TokenPayload, TokenService, type TokenServiceOptions } from "./token-service.ts";
