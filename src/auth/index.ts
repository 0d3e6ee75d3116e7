export {
  AuthService,
  type AuthServiceOptions,
  FirstAdmin,
  type Login,
  normalizeEmail,
  type PublicUser,
} from "./accounts/index.ts";
export { AuthenticatedAPIHandler } from "./authenticated-handler.ts";
export {
  HashQueue,
  type HashQueueOptions,
  type PasswordContext,
  PasswordSchema,
  PasswordService,
  type PasswordServiceOptions,
  passwordProblems,
} from "./passwords/index.ts";
export { type Session, SessionStore, type SessionStoreOptions } from "./sessions/index.ts";
export {
  sessionAuthenticator,
  type TokenPayload,
  TokenService,
  type TokenServiceOptions,
} from "./tokens/index.ts";
