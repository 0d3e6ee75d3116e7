import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../../core/index.ts";
import { answerSignIn, personOf, signInRequest } from "../auth-answers.ts";
import { Code, Credential, MfaRequired, Mode, SignedIn, Token } from "../auth-schemas.ts";

const Empty = z.strictObject({}).optional();
const PasskeyName = z.string().max(100);
const Options = z.record(z.string(), z.unknown()).meta({ description: "WebAuthn JSON." });

const Passkey = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
    backedUp: z.boolean(),
  })
  .meta({ id: "Passkey" });

/** Second factors and passkeys of the signed-in user. Each change ends the user's other sessions, and renews this one. */
export function factorRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { factorChanges, passkeys } = bulwark;
  const { AuthenticatedAPIHandler, SignInHandler } = bulwark.handlers;
  const recent = bulwark.requireRecentAuth();
  const changing = ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"] as const;

  const enroll = AuthenticatedAPIHandler.POST(
    recent(async (context) => factorChanges.enrollTotp(personOf(context))),
    {
      path: "/api/auth/mfa/totp/enroll",
      requireAuth: true,
      body: Empty,
      response: z.strictObject({ secret: z.string(), uri: z.string(), qr: z.string() }),
      errors: [...changing, "CONFLICT"],
      summary: "Begin to set up an authenticator app",
    },
  );

  const confirm = AuthenticatedAPIHandler.POST(
    recent(async (context) => {
      const { code } = context.body as { readonly code: string };
      const { recoveryCodes, signedIn } = await factorChanges.confirmTotp(
        personOf(context),
        code,
        context,
      );
      const answer = answerSignIn(signedIn, context);
      return ResponseBuilder.success({ ...(answer.data as object), recoveryCodes });
    }),
    {
      path: "/api/auth/mfa/totp/confirm",
      requireAuth: true,
      limits: ["login"],
      body: z.strictObject({ code: Code }),
      response: z.strictObject({ ...SignedIn.shape, recoveryCodes: z.array(z.string()) }),
      errors: [...changing, "INVALID_CREDENTIALS"],
      summary: "Take the authenticator app into use by a first code",
    },
  );

  const removeTotp = AuthenticatedAPIHandler.DELETE(
    recent(async (context) =>
      answerSignIn(await factorChanges.removeTotp(personOf(context), context), context),
    ),
    {
      path: "/api/auth/mfa/totp",
      requireAuth: true,
      response: SignedIn,
      errors: [...changing, "NOT_FOUND", "CONFLICT"],
      summary: "Remove the authenticator app",
    },
  );

  const regenerate = AuthenticatedAPIHandler.POST(
    recent(async (context) => {
      const { recoveryCodes, signedIn } = await factorChanges.regenerateRecoveryCodes(
        personOf(context),
        context,
      );
      const answer = answerSignIn(signedIn, context);
      return ResponseBuilder.success({ ...(answer.data as object), recoveryCodes });
    }),
    {
      path: "/api/auth/mfa/recovery-codes",
      requireAuth: true,
      body: Empty,
      response: z.strictObject({ ...SignedIn.shape, recoveryCodes: z.array(z.string()) }),
      errors: [...changing, "CONFLICT"],
      summary: "Make new recovery codes; the old ones are void",
    },
  );

  const factors = AuthenticatedAPIHandler.GET(
    (context) => factorChanges.summary(personOf(context).userId),
    {
      path: "/api/auth/mfa",
      requireAuth: true,
      response: z.strictObject({
        methods: z.array(z.string()),
        recoveryCodesLeft: z.int(),
      }),
      errors: ["FORBIDDEN"],
      summary: "The second factors of this user",
    },
  );

  const registerOptions = AuthenticatedAPIHandler.POST(
    recent(async (context) => {
      const { userId } = personOf(context);
      return passkeys.registrationOptions(await bulwark.auth.me(userId));
    }),
    {
      path: "/api/auth/passkeys/register/options",
      requireAuth: true,
      body: Empty,
      response: Options,
      errors: changing,
      summary: "Begin to add a passkey",
    },
  );

  const registerVerify = AuthenticatedAPIHandler.POST(
    recent(async (context) => {
      const { credential, name } = context.body as z.infer<typeof RegisterBody>;
      const { passkey, recoveryCodes, signedIn } = await factorChanges.addPasskey(
        personOf(context),
        { credential, name: name ?? "Passkey" },
        context,
      );
      const answer = answerSignIn(signedIn, context);
      return ResponseBuilder.created({ ...(answer.data as object), passkey, recoveryCodes });
    }),
    {
      path: "/api/auth/passkeys/register/verify",
      requireAuth: true,
      limits: ["login"],
      body: RegisterBody,
      response: z.strictObject({
        ...SignedIn.shape,
        passkey: Passkey,
        recoveryCodes: z.array(z.string()).optional(),
      }),
      status: 201,
      errors: [...changing, "INVALID_CREDENTIALS", "CONFLICT"],
      summary: "Add the passkey",
    },
  );

  const loginOptions = SignInHandler.POST(
    async (context) => {
      const { challengeToken } = context.body ?? {};
      return passkeys.loginOptions(
        challengeToken === undefined
          ? undefined
          : await bulwark.auth.userOfChallenge(challengeToken),
      );
    },
    {
      path: "/api/auth/passkeys/login/options",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ challengeToken: Token.optional() }).optional(),
      response: Options,
      errors: ["INVALID_CREDENTIALS"],
      summary:
        "Begin to sign in with a passkey, or to prove it as the second factor of a challenge",
    },
  );

  const loginVerify = SignInHandler.POST(
    async (context) => {
      const { credential, ...how } = context.body;
      const request = signInRequest(bulwark, context, how);
      return answerSignIn(
        await bulwark.auth.signInByPasskey(credential, request, context),
        context,
      );
    },
    {
      path: "/api/auth/passkeys/login/verify",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({
        credential: Credential,
        mode: Mode.optional(),
        deviceToken: Token.optional(),
      }),
      response: z.union([SignedIn, MfaRequired]),
      errors: ["INVALID_CREDENTIALS", "CSRF_REJECTED"],
      summary: "Sign in with a passkey, without a password",
    },
  );

  const stepUpOptions = AuthenticatedAPIHandler.POST(
    (context) => passkeys.loginOptions(personOf(context).userId),
    {
      path: "/api/auth/step-up/options",
      requireAuth: true,
      body: Empty,
      response: Options,
      errors: ["FORBIDDEN"],
      summary: "Begin to prove a passkey for a step-up",
    },
  );

  const list = AuthenticatedAPIHandler.GET((context) => passkeys.list(personOf(context).userId), {
    path: "/api/auth/passkeys",
    requireAuth: true,
    response: z.array(Passkey),
    errors: ["FORBIDDEN"],
    summary: "The passkeys of this user",
  });

  const rename = AuthenticatedAPIHandler.PATCH(
    async (context) => {
      await passkeys.rename(personOf(context).userId, context.params.id, context.body.name);
      return ResponseBuilder.success(null, "Renamed.");
    },
    {
      path: "/api/auth/passkeys/:id",
      requireAuth: true,
      body: z.strictObject({ name: PasskeyName }),
      response: z.null(),
      errors: ["FORBIDDEN", "NOT_FOUND"],
      summary: "Rename a passkey",
    },
  );

  const remove = AuthenticatedAPIHandler.DELETE(
    recent(async (context) => {
      const { id } = context.params as { readonly id: string };
      return answerSignIn(
        await factorChanges.removePasskey(personOf(context), id, context),
        context,
      );
    }),
    {
      path: "/api/auth/passkeys/:id",
      requireAuth: true,
      response: SignedIn,
      errors: [...changing, "NOT_FOUND", "CONFLICT"],
      summary: "Remove a passkey",
    },
  );

  return [
    enroll,
    confirm,
    removeTotp,
    regenerate,
    factors,
    registerOptions,
    registerVerify,
    loginOptions,
    loginVerify,
    stepUpOptions,
    list,
    rename,
    remove,
  ];
}

const RegisterBody = z.strictObject({ credential: Credential, name: PasskeyName.optional() });
