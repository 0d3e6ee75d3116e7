import { z } from "zod";
import {
  checkReturnTo,
  type Identities,
  type OidcOutcome,
  type OidcProvider,
  type OidcSignIn,
} from "../auth/oidc/index.ts";
import {
  type AnyRoute,
  type Authenticated,
  type BaseAPIHandler,
  type EventContext,
  ForbiddenError,
  type Log,
  type RequestContext,
  ResponseBuilder,
  readHeader,
  type UserPrincipal,
  type Wrapper,
} from "../core/index.ts";
import { type OidcPages, onPage, redirect, rememberPage } from "./oidc-refusals.ts";

/** What a sign-in comes to: tokens, cookies, or a second factor that is still to be proved. */
type OidcCompletion =
  | { readonly mode: "token" }
  | { readonly mode: "cookie"; readonly cookies: readonly string[]; readonly user: unknown }
  | { readonly mode: "mfa"; readonly challengeToken: string; readonly methods: readonly string[] };

type SignedInAtProvider = Extract<OidcOutcome, { readonly intent: "sign-in" }>;

export interface OidcRoutesOptions {
  /** Reads no credential, so that one that is over does not keep anybody from signing in. */
  readonly SignInHandler: typeof BaseAPIHandler;
  readonly AuthenticatedAPIHandler: typeof BaseAPIHandler;
  /** Origin of this application. */
  readonly issuer: string;
  readonly provider: OidcProvider;
  readonly signIn: OidcSignIn;
  readonly identities: Identities;
  /** The step-up that linking and unlinking need. */
  readonly recentAuth: Wrapper<Authenticated>;
  /** Ends in a session, as every proved first factor does. */
  readonly complete: (
    user: SignedInAtProvider["user"],
    proved: SignedInAtProvider["proved"],
    request: Pick<SignedInAtProvider, "mode" | "provedSecondFactor">,
    context: RequestContext & EventContext,
  ) => Promise<OidcCompletion>;
  /** The pages of cookie mode; what they are told rides in their fragments. Default: a second factor, and every refusal, is answered as JSON. */
  readonly pages?: OidcPages | undefined;
  readonly log: Log;
}

const StartQuery = z.strictObject({
  mode: z.enum(["token", "cookie"]).default("token"),
  returnTo: z.string().max(1_024).optional().meta({ description: "A path on this site." }),
  fresh: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "Makes the person sign in at the provider anew." }),
});

const LinkBody = z.strictObject({ returnTo: z.string().max(1_024).optional() });

const Identity = z.strictObject({
  id: z.uuid(),
  provider: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
});

/** Sign-in at OpenID providers, and the identities that are linked to an account. */
export function oidcRoutes(options: OidcRoutesOptions): readonly AnyRoute[] {
  return [...signInRoutes(options), ...identityRoutes(options)];
}

function signInRoutes(options: OidcRoutesOptions): readonly AnyRoute[] {
  const { SignInHandler, provider, signIn, issuer } = options;

  const finish = async (context: CallbackContext): Promise<unknown> => {
    const { request, params } = context;
    const { search } = new URL(request.url);
    const cookies = readHeader(context, "cookie");
    // Whatever comes of it, this browser's part is over.
    context.header("set-cookie", provider.expiredCookie);
    const outcome = await signIn.finish(params.provider, search, cookies, context);
    if (outcome.intent === "sign-in") return answerSignIn(outcome, context, options);
    return outcome.mode === "cookie"
      ? redirect(outcome.returnTo ?? "/")
      : ResponseBuilder.success({ linked: true });
  };

  const list = SignInHandler.GET(() => provider.list(), {
    path: "/api/auth/oidc",
    requireAuth: false,
    response: z.array(z.strictObject({ name: z.string(), displayName: z.string() })),
    summary: "The providers that people can sign in with",
  });

  const start = SignInHandler.GET(
    async (context) => {
      const { mode, returnTo, fresh } = context.query;
      const { url, cookie } = await provider.start(context.params.provider, {
        intent: "sign-in",
        mode,
        returnTo: returnTo === undefined ? undefined : checkReturnTo(returnTo, issuer),
        fresh: fresh === "true",
      });
      context.header("set-cookie", cookie);
      rememberPage(mode === "cookie" ? "signIn" : undefined, context);
      return redirect(url);
    },
    {
      path: "/api/auth/oidc/:provider/start",
      requireAuth: false,
      limits: ["login"],
      query: StartQuery,
      status: 303,
      errors: ["NOT_FOUND", "EXTERNAL_SERVICE_ERROR"],
      summary: "Go to a provider to sign in",
    },
  );

  const callback = SignInHandler.GET((context) => onPage(() => finish(context), context, options), {
    path: "/api/auth/oidc/:provider/callback",
    requireAuth: false,
    limits: ["login"],
    errors: [
      "INVALID_REQUEST",
      "INVALID_CREDENTIALS",
      "FORBIDDEN",
      "NOT_FOUND",
      "CONFLICT",
      "EXTERNAL_SERVICE_ERROR",
    ],
    summary: "Come back from a provider",
  });

  return [list, start, callback];
}

/** Tokens stand in the body alone: a URL is kept by browsers, proxies and logs. */
async function answerSignIn(
  outcome: SignedInAtProvider,
  context: RequestContext,
  { complete, pages }: OidcRoutesOptions,
): Promise<unknown> {
  const { user, proved, provedSecondFactor, mode, returnTo } = outcome;
  const done = await complete(user, proved, { mode, provedSecondFactor }, context);
  if (done.mode === "cookie") {
    for (const cookie of done.cookies) context.header("set-cookie", cookie);
    return redirect(returnTo ?? "/");
  }
  if (done.mode === "token") {
    const { mode: _mode, ...answer } = done;
    return ResponseBuilder.success(answer);
  }
  const { challengeToken, methods } = done;
  if (mode === "token" || pages === undefined) {
    return ResponseBuilder.success({ mfaRequired: true, challengeToken, methods });
  }
  const facts = { challenge: challengeToken, methods: methods.join(",") };
  const fragment = new URLSearchParams(returnTo === undefined ? facts : { ...facts, returnTo });
  return redirect(`${pages.signIn}#${fragment}`);
}

function identityRoutes(options: OidcRoutesOptions): readonly AnyRoute[] {
  const { AuthenticatedAPIHandler, provider, identities, issuer, recentAuth } = options;

  const link = AuthenticatedAPIHandler.POST(
    recentAuth(
      async (
        context: RequestContext<true, { readonly provider: string }, unknown, LinkInput> &
          Authenticated,
      ) => {
        const { userId, sessionId, via } = personOf(context);
        const { returnTo } = context.body;
        const { url, cookie } = await provider.start(context.params.provider, {
          intent: "link",
          mode: via === "cookie" ? "cookie" : "token",
          userId,
          sessionId,
          returnTo: returnTo === undefined ? undefined : checkReturnTo(returnTo, issuer),
        });
        context.header("set-cookie", cookie);
        rememberPage(via === "cookie" ? "account" : undefined, context);
        return { url };
      },
    ),
    {
      path: "/api/auth/oidc/:provider/link",
      requireAuth: true,
      limits: ["login"],
      body: LinkBody,
      response: z.strictObject({ url: z.url() }),
      errors: ["FORBIDDEN", "NOT_FOUND", "REAUTHENTICATION_REQUIRED", "EXTERNAL_SERVICE_ERROR"],
      summary: "Begin to link an identity at a provider; the browser goes to the URL",
    },
  );

  const list = AuthenticatedAPIHandler.GET((context) => identities.list(personOf(context).userId), {
    path: "/api/auth/identities",
    requireAuth: true,
    response: z.array(Identity),
    errors: ["FORBIDDEN"],
    summary: "The identities at providers that sign this user in",
  });

  const unlink = AuthenticatedAPIHandler.DELETE(
    recentAuth(async (context: RequestContext<true, { readonly id: string }> & Authenticated) => {
      await identities.unlink(personOf(context).userId, context.params.id, context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/auth/identities/:id",
      requireAuth: true,
      errors: ["FORBIDDEN", "NOT_FOUND", "CONFLICT", "REAUTHENTICATION_REQUIRED"],
      summary: "Unlink an identity",
    },
  );

  return [link, list, unlink];
}

type LinkInput = z.infer<typeof LinkBody>;
type CallbackContext = RequestContext<false, { readonly provider: string }> & EventContext;

function personOf({ principal }: Pick<RequestContext, "principal">): UserPrincipal {
  if (principal?.kind === "user") return principal;
  throw new ForbiddenError("A key cannot do this.");
}
