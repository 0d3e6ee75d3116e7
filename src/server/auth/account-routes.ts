import { z } from "zod";
import { BROWSER_COOKIE, expireCookie, SESSION_COOKIE } from "../../auth/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, APIResult, NotFoundError, ResponseBuilder } from "../../core/index.ts";
import {
  answerSignIn,
  browserOf,
  checkMode,
  cookieOf,
  personOf,
  signInRequest,
} from "../auth-answers.ts";
import {
  Email,
  MfaRequired,
  Mode,
  Name,
  Password,
  PERSON,
  SignedIn,
  Token,
} from "../auth-schemas.ts";
import { User } from "../user-schema.ts";

const RegisterBody = z
  .strictObject({ email: Email, password: Password, name: Name })
  .meta({ examples: [{ ...PERSON, name: "Ada" }] });

/** What is answered to anyone about any address. */
const accepted = (message: string): APIResult<null> => new APIResult(202, null, message);
const MAILED = "If this address has an account, a mail is on its way.";

/** Making an account, proving its mailbox, and changing what it is entered with. */
export function accountRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { registration, recovery } = bulwark;
  const { AuthenticatedAPIHandler, SignInHandler } = bulwark.handlers;

  const register = SignInHandler.POST(
    async (context) => {
      const browser = registration.isMailboxProved ? browserOf(context) : undefined;
      const user = await registration.register(context.body, context, browser);
      if (user !== undefined) return ResponseBuilder.created({ user });
      return accepted("A mail is on its way to this address.");
    },
    {
      path: "/api/auth/register",
      requireAuth: false,
      limits: ["register"],
      body: RegisterBody,
      response: z.strictObject({ user: User }).nullable(),
      status: 201,
      errors: ["CONFLICT"],
      summary: "Make an account",
    },
  );

  const verify = SignInHandler.POST(
    async (context) => {
      const { token } = context.body;
      const change = await recovery.confirmEmailChange(token, context);
      if (change !== undefined) return { verified: true, ...change, passwordRequired: false };
      const { passwordRequired } = await registration.verify(
        token,
        cookieOf(context, BROWSER_COOKIE),
        context,
      );
      return { verified: true, passwordRequired };
    },
    {
      path: "/api/auth/email/verify",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ token: Token }),
      response: z.strictObject({
        verified: z.literal(true),
        changed: z.boolean().optional(),
        passwordRequired: z.boolean(),
      }),
      errors: ["NOT_FOUND", "CONFLICT"],
      summary: "Prove a mailbox by the token that was mailed to it",
    },
  );

  const resend = SignInHandler.POST(
    async (context) => {
      await registration.resend(context.body.email);
      return accepted(MAILED);
    },
    {
      path: "/api/auth/email/resend",
      requireAuth: false,
      limits: ["register"],
      body: z.strictObject({ email: Email }),
      response: z.null(),
      status: 202,
      summary: "Mail the verification link again",
    },
  );

  const changeEmail = AuthenticatedAPIHandler.POST(
    bulwark.requireRecentAuth()(async (context) => {
      const { email } = context.body as { readonly email: string };
      await recovery.requestEmailChange(personOf(context), email, context);
      return accepted("A mail is on its way to both addresses.");
    }),
    {
      path: "/api/auth/email/change",
      requireAuth: true,
      limits: ["register"],
      body: z.strictObject({ email: Email }),
      response: z.null(),
      status: 202,
      errors: ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"],
      summary: "Change the address; both mailboxes have to confirm it",
    },
  );

  const forgot = SignInHandler.POST(
    async (context) => {
      await recovery.forgot(context.body.email, context);
      return accepted(MAILED);
    },
    {
      path: "/api/auth/password/forgot",
      requireAuth: false,
      limits: ["register"],
      body: z.strictObject({ email: Email }),
      response: z.null(),
      status: 202,
      summary: "Mail a link that sets a new password",
    },
  );

  const reset = SignInHandler.POST(
    async (context) => {
      await recovery.reset(context.body.token, context.body.password, context);
      return ResponseBuilder.success(null, "The password is set. Sign in with it.");
    },
    {
      path: "/api/auth/password/reset",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ token: Token, password: Password }),
      response: z.null(),
      errors: ["NOT_FOUND"],
      summary: "Set a new password by a mailed token",
    },
  );

  const changePassword = AuthenticatedAPIHandler.POST(
    async (context) =>
      answerSignIn(
        await recovery.changePassword(personOf(context), context.body, context),
        context,
      ),
    {
      path: "/api/auth/password/change",
      requireAuth: true,
      limits: ["login"],
      body: z.strictObject({ currentPassword: Password, newPassword: Password }),
      response: SignedIn,
      errors: ["INVALID_CREDENTIALS", "FORBIDDEN"],
      summary: "Change the password; all other sessions end",
    },
  );

  const magicLink = SignInHandler.POST(
    async (context) => {
      const { email, mode } = context.body;
      checkMode(bulwark, context)(mode ?? "token");
      await recovery.requestMagicLink(email, { browser: browserOf(context), mode }, context);
      return accepted(MAILED);
    },
    {
      path: "/api/auth/magic-link",
      requireAuth: false,
      limits: ["register"],
      body: z.strictObject({ email: Email, mode: Mode.optional() }),
      response: z.null(),
      status: 202,
      errors: ["NOT_FOUND", "CSRF_REJECTED"],
      summary: "Mail a link that signs in; off unless it is configured",
    },
  );

  const magicLinkVerify = SignInHandler.POST(
    async (context) => {
      const { token, deviceToken } = context.body;
      const { deviceToken: device } = signInRequest(bulwark, context, { deviceToken });
      return answerSignIn(
        await recovery.signInByLink(
          token,
          cookieOf(context, BROWSER_COOKIE),
          { deviceToken: device },
          context,
          checkMode(bulwark, context),
        ),
        context,
      );
    },
    {
      path: "/api/auth/magic-link/verify",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ token: Token, deviceToken: Token.optional() }),
      response: z.union([SignedIn, MfaRequired]),
      errors: ["INVALID_CREDENTIALS", "CSRF_REJECTED"],
      summary: "Sign in by a mailed link, in the browser that asked for it",
    },
  );

  const acceptInvite = SignInHandler.POST(
    async (context) => ({ user: await registration.acceptInvite(context.body, context) }),
    {
      path: "/api/auth/invite/accept",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ token: Token, password: Password, name: Name }),
      response: z.strictObject({ user: User }),
      errors: ["NOT_FOUND"],
      summary: "Accept an invitation",
    },
  );

  const deleteMe = AuthenticatedAPIHandler.DELETE(
    bulwark.requireRecentAuth()(async (context) => {
      const principal = personOf(context);
      const data = await recovery.requestDeletion(principal, context);
      context.header("clear-site-data", '"cache", "storage"');
      if (principal.via === "cookie") context.header("set-cookie", expireCookie(SESSION_COOKIE));
      return new APIResult(
        202,
        data,
        "The account is deleted then; signing in before takes it back.",
      );
    }),
    {
      path: "/api/auth/me",
      requireAuth: true,
      response: z.strictObject({ deleteAt: z.iso.datetime() }),
      status: 202,
      errors: ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"],
      summary: "Delete this account after a grace period",
    },
  );

  const exportMe = AuthenticatedAPIHandler.POST(
    bulwark.requireRecentAuth()(async (context) => {
      const data = await bulwark.ownData(personOf(context).userId);
      if (data === undefined) throw new NotFoundError("User");
      return data;
    }),
    {
      path: "/api/auth/me/export",
      requireAuth: true,
      response: z.record(z.string(), z.unknown()),
      errors: ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"],
      summary: "What is stored of this user",
    },
  );

  return [
    register,
    verify,
    resend,
    changeEmail,
    forgot,
    reset,
    changePassword,
    magicLink,
    magicLinkVerify,
    acceptInvite,
    deleteMe,
    exportMe,
  ];
}
