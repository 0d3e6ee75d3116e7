import type { Awaitable } from "./awaitable.ts";
import type { LimitPolicy } from "./limit-policy.ts";

/** How a factor was proved (RFC 8176 where it has a name for it). */
export type AuthenticationMethod = "pwd" | "otp" | "recovery" | "passkey" | "link" | "oidc";

/** One factor that was proved, and when, in milliseconds since the epoch. */
export interface ProvedFactor {
  readonly method: AuthenticationMethod;
  readonly at: number;
}

/** A person, signed in. Roles come from the session's read, never from a token's claims. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly userId: string;
  readonly sessionId: string;
  readonly via: "bearer" | "cookie";
  readonly methods: readonly ProvedFactor[];
  readonly tenantId?: string | undefined;
  readonly roles: readonly string[];
  /** Permissions of roles that were made at run time; those of roles from code stand in the access model. Default none. */
  readonly permissions?: readonly string[] | undefined;
}

/** An API key that acts for a user. */
export interface UserKeyPrincipal {
  readonly kind: "userKey";
  readonly userId: string;
  readonly keyId: string;
  readonly via: "key";
  readonly scopes: readonly string[];
  readonly tenantId?: string | undefined;
  /** The owner's, as they stand at this request. */
  readonly roles: readonly string[];
  /** As a {@link UserPrincipal} has them, of the owner. */
  readonly permissions?: readonly string[] | undefined;
  /** The key's own limits, decided together; they take the place of the limit per user. */
  readonly limits?: readonly LimitPolicy[] | undefined;
}

/** An API key that acts for a tenant; there is no user. */
export interface TenantKeyPrincipal {
  readonly kind: "tenantKey";
  readonly tenantId: string;
  readonly keyId: string;
  readonly via: "key";
  readonly scopes: readonly string[];
  /** As a {@link UserKeyPrincipal} has them. */
  readonly limits?: readonly LimitPolicy[] | undefined;
}

/** Principal is who a request acts for. A route with `requireAuth: true` admits only those with a `userId`. */
export type Principal = UserPrincipal | UserKeyPrincipal | TenantKeyPrincipal;

/** What an authenticator knows besides the request: the client as seen through trusted proxies, and the id that its events carry. */
export interface AuthInfo {
  readonly address: string | undefined;
  readonly requestId: string;
  /** Reads a header of the request where that costs less than `request.headers.get(name)`. */
  get?(name: string): string | null;
}

/** AuthResult: `absent` = no credential was presented; `refused` = one was, and it is not good, which ends the request. */
export type AuthResult =
  | { readonly isAuthenticated: true; readonly principal: Principal }
  | {
      readonly isAuthenticated: false;
      readonly reason: "absent" | "refused";
      readonly code?: "UNAUTHORIZED" | "TOKEN_EXPIRED" | "INVALID_REQUEST" | undefined;
    };

/**
 * Authenticator decides who a request acts for. It throws when it cannot know (its store is gone), which
 * answers 503; a `refused` never falls through to the next authenticator.
 */
export interface Authenticator {
  authenticate(request: Request, info: AuthInfo): Awaitable<AuthResult>;
}
