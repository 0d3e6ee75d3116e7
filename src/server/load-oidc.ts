import { DEVICE_COOKIE } from "../auth/index.ts";
import type { OidcConfig } from "../auth/oidc/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ConfigurationError } from "../core/index.ts";
import { cookieOf } from "./auth-answers.ts";

/**
 * loadOidc makes the routes of sign-in at OpenID providers. What it needs is loaded only where providers are configured.
 * Rejects with a ConfigurationError that lists every problem.
 */
export async function loadOidc(bulwark: Bulwark, config: OidcConfig): Promise<readonly AnyRoute[]> {
  const { Identities, OidcProvider, OidcSignIn, resolveOidc } = await import(
    "../auth/oidc/index.ts"
  );
  const { oidcRoutes } = await import("./oidc-routes.ts");
  const { database, audit, clock, log, issuer, mode, sealer, registration, handlers } = bulwark;
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
  await provider.open();
  const identities = new Identities({
    database,
    audit,
    clock,
    onChange: async (tx, _userId, { what, owner }) => {
      const at = clock.now();
      const mail = { kind: "credential-changed", what: `provider ${what}`, at } as const;
      await bulwark.accountMailer.send({ ...mail, to: owner.email, name: owner.name }, tx);
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
    complete: (user, proved, request, context) => {
      const deviceToken = cookieOf(context, DEVICE_COOKIE);
      return bulwark.signIn.complete(user, proved, { ...request, deviceToken }, context);
    },
    pages: { signIn: "/auth/login", account: "/auth/account" },
    log,
  });
}
