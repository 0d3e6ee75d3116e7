export { checkReturnTo } from "./callback-parameters.ts";
export {
  Identities,
  type IdentitiesOptions,
  type IdentityChange,
  type LinkedIdentity,
  type ProviderIdentity,
} from "./identities.ts";
export {
  type OidcAlgorithm,
  type OidcConfig,
  type OidcProviderConfig,
  type ResolvedOidcProvider,
  resolveOidc,
} from "./oidc-config.ts";
export {
  type OidcProof,
  OidcProvider,
  type OidcProviderOptions,
  type OidcStart,
} from "./oidc-provider.ts";
export {
  type OidcAccounts,
  type OidcOutcome,
  OidcSignIn,
  type OidcSignInOptions,
} from "./oidc-sign-in.ts";
