import { eq } from "drizzle-orm";
import type { OidcConfig } from "../auth/oidc/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ConfigurationError } from "../core/index.ts";
import { users } from "../database/index.ts";

/**
 * loadOidc makes the routes of sign-in at OpenID providers. What it needs is loaded only where providers are configured.
 * Rejects with a ConfigurationError that lists every problem.
 */
export async function loadOidc(bulwark: Bulwark, config: OidcConfig): Promise<readonly AnyRoute[]> {
  const { Identities, OidcProvider, OidcSignIn, resolveOidc } = await import(
    "../auth/oidc/index.ts"
  );
  const { oidcRoutes } = await import("./oidc-routes.ts");
  const { database, audit, clock, issuer, mode, sealer, registration, handlers } = bulwark;
  const problems: string[] = [];
  const providers = resolveOidc(config, mode, problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const provider = new OidcProvider({
    providers,
    issuer,
    database,
    sealer,
    clock,
    insecureAllowLoopback: mode === "development",
  });
  const identities = new Identities({
    database,
    audit,
    clock,
    onChange: async (tx, userId, { what }) => {
      const [user] = await tx.select().from(users).where(eq(users.id, userId));
      if (user === undefined) return;
      const at = clock.now();
      const mail = { kind: "credential-changed", what: `provider ${what}`, at } as const;
      await bulwark.accountMailer.send({ ...mail, to: user.email, name: user.name }, tx);
    },
  });
  const signIn = new OidcSignIn({
    provider,
    identities,
    accounts: registration,
    audit,
    clock,
    verification: registration.isMailboxProved ? "required" : "off",
  });
  return oidcRoutes({
    SignInHandler: handlers.SignInHandler,
    AuthenticatedAPIHandler: handlers.AuthenticatedAPIHandler,
    issuer,
    provider,
    signIn,
    identities,
    recentAuth: bulwark.requireRecentAuth(),
    complete: (user, proved, request, context) =>
      bulwark.signIn.complete(user, proved, request, context),
    challengePage: "/auth/login",
  });
}
