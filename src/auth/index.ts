export * from "./accounts/index.ts";
export { AuthenticatedAPIHandler } from "./authenticated-handler.ts";
export * from "./mfa/index.ts";
export * from "./passwords/index.ts";
export {
  type HasSecondFactor,
  type RecentAuthOptions,
  type RecentFactor,
  type RequireRecentAuth,
  recentAuth,
} from "./recent-auth.ts";
export * from "./sessions/index.ts";
export * from "./tokens/index.ts";
