export {
  AuthService,
  type AuthServiceOptions,
  type Login,
  type PublicUser,
} from "./auth-service.ts";
export { AuthenticatedAPIHandler } from "./authenticated-handler.ts";
export { normalizeEmail } from "./email.ts";
export { FirstAdmin } from "./first-admin.ts";
export { HashQueue, type HashQueueOptions } from "./hash-queue.ts";
export { type PasswordContext, passwordProblems } from "./password-policy.ts";
export { PasswordSchema } from "./password-schema.ts";
export { PasswordService, type PasswordServiceOptions } from "./password-service.ts";
export { sessionAuthenticator } from "./session-authenticator.ts";
export { type Session, SessionStore, type SessionStoreOptions } from "./session-store.ts";
export { type TokenPayload, TokenService, type TokenServiceOptions } from "./token-service.ts";
