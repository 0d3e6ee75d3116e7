export {
  AccountAdmin,
  type AccountAdminOptions,
  type AccountQuery,
  type AccountView,
} from "./account-admin.ts";
export { AccountCredentials, type AccountCredentialsOptions } from "./account-credentials.ts";
export { AccountGuard, type AccountGuardOptions } from "./account-guard.ts";
export {
  type AccountMailer,
  noMail,
} from "./account-mail.ts";
export {
  AuthService,
  type AuthServiceOptions,
  type Credentials,
  type StepUpProof,
} from "./auth-service.ts";
export { normalizeEmail } from "./email.ts";
export {
  FactorChanges,
  type FactorChangesOptions,
  type Passkeys,
  type PasskeyView,
} from "./factor-changes.ts";
export { FirstAdmin } from "./first-admin.ts";
export { OneTimeTokens, type OneTimeTokensOptions } from "./one-time-tokens.ts";
export { ownData } from "./own-data.ts";
export { Recovery, type RecoveryOptions } from "./recovery.ts";
export {
  type NewUser,
  Registration,
  type RegistrationOptions,
  type Verification,
} from "./registration.ts";
export {
  type FactorMethod,
  type FactorProof,
  type FactorServices,
  SecondFactors,
} from "./second-factors.ts";
export {
  type CookieSignIn,
  type MfaChallenge,
  type SignedIn,
  SignIn,
  type SignInOptions,
  type SignInParts,
  type SignInRequest,
  type TokenSignIn,
} from "./sign-in.ts";
export { type MyTenant, TenantSwitch, type TenantSwitchOptions } from "./tenant-switch.ts";
export type { PublicUser } from "./users.ts";
