import { z } from "zod";
import { expireCookie, SESSION_COOKIE, sessionCookieOf } from "../../auth/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, BaseAPIError, ResponseBuilder, readHeader } from "../../core/index.ts";
import { answerSignIn, checkMode, personOf, signInRequest } from "../auth-answers.ts";
import {
  Email,
  FactorProof,
  MfaRequired,
  Mode,
  Password,
  PERSON,
  SignedIn,
  Token,
} from "../auth-schemas.ts";
import { User } from "../user-schema.ts";

const LoginBody = z
  .strictObject({
    email: Email,
    password: Password,
    mode: Mode.optional(),
    deviceToken: Token.optional(),
  })
  .meta({ examples: [PERSON] });

const challenge = { challengeToken: Token };
const [Totp, Recovery, Passkey] = FactorProof.options;
const ChallengeBody = z.discriminatedUnion("method", [
  Totp.extend(challenge),
  Recovery.extend(challenge),
  Passkey.extend(challenge),
]);

const Me = z.strictObject({
  ...User.shape,
  sessionId: z.uuid(),
  methods: z
    .array(z.strictObject({ method: z.string(), at: z.int() }))
    .meta({ description: "How the session was proved, and when, in milliseconds since 1970." }),
});

const Session = z.strictObject({
  id: z.uuid(),
  current: z.boolean(),
  mode: Mode,
  address: z.string().nullable(),
  agent: z.string().nullable(),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  idleExpiresAt: z.iso.datetime(),
});

/** Signing in and out, and the sessions that come of it. */
export function sessionRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { auth } = bulwark;
  const { AuthenticatedAPIHandler, SignInHandler } = bulwark.handlers;

  const login = SignInHandler.POST(
    async (context) => {
      const { email, password, ...how } = context.body;
      const request = signInRequest(bulwark, context, how);
      return answerSignIn(await auth.login({ email, password, ...request }, context), context);
    },
    {
      path: "/api/auth/login",
      requireAuth: false,
      limits: ["login"],
      body: LoginBody,
      response: z.union([SignedIn, MfaRequired]),
      errors: ["INVALID_CREDENTIALS", "CSRF_REJECTED"],
      summary: "Sign in",
    },
  );

  const challenge = SignInHandler.POST(
    async (context) => {
      const { challengeToken, ...proof } = context.body;
      const input = { challengeToken, proof };
      return answerSignIn(
        await auth.answerChallenge(input, context, checkMode(bulwark, context)),
        context,
      );
    },
    {
      path: "/api/auth/mfa/challenge",
      requireAuth: false,
      limits: ["login"],
      body: ChallengeBody,
      response: SignedIn,
      errors: ["INVALID_CREDENTIALS", "CSRF_REJECTED"],
      summary: "Prove the second factor of a sign-in",
    },
  );

  const refresh = SignInHandler.POST(
    async (context) =>
      ResponseBuilder.success(await auth.refresh(context.body.refreshToken, context)),
    {
      path: "/api/auth/refresh",
      requireAuth: false,
      limits: ["login"],
      body: z.strictObject({ refreshToken: Token }),
      response: z.strictObject({
        accessToken: z.string(),
        refreshToken: z.string(),
        expiresIn: z.int().positive(),
      }),
      errors: ["UNAUTHORIZED"],
      summary: "Exchange a refresh token for a new pair",
    },
  );

  const logout = AuthenticatedAPIHandler.POST(
    async (context) => {
      const principal = personOf(context);
      await auth.logout(principal, context);
      context.header("clear-site-data", '"cache", "storage"');
      if (principal.via === "cookie") context.header("set-cookie", expireCookie(SESSION_COOKIE));
      return ResponseBuilder.success(null, "Signed out.");
    },
    {
      path: "/api/auth/logout",
      requireAuth: true,
      response: z.null(),
      errors: ["FORBIDDEN"],
      summary: "End this session and its tokens",
    },
  );

  const me = AuthenticatedAPIHandler.GET(
    async (context) => {
      const { sessionId, methods, userId } = personOf(context);
      return { ...(await auth.me(userId)), sessionId, methods };
    },
    {
      path: "/api/auth/me",
      requireAuth: true,
      response: Me,
      errors: ["FORBIDDEN"],
      summary: "Who is signed in",
    },
  );

  const list = AuthenticatedAPIHandler.GET(
    async (context) => {
      const { sessionId, userId } = personOf(context);
      const sessions = await auth.sessionsOf(userId);
      return sessions.map(({ userId: _user, ...session }) => ({
        ...session,
        current: session.id === sessionId,
      }));
    },
    {
      path: "/api/auth/sessions",
      requireAuth: true,
      response: z.array(Session),
      errors: ["FORBIDDEN"],
      summary: "The signed-in sessions of this user",
    },
  );

  const end = AuthenticatedAPIHandler.DELETE(
    bulwark.requireRecentAuth({ factor: "any" })(async (context) => {
      await auth.endSession(personOf(context), (context.params as { id: string }).id, context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/auth/sessions/:id",
      requireAuth: true,
      response: z.null(),
      errors: ["FORBIDDEN", "NOT_FOUND", "REAUTHENTICATION_REQUIRED"],
      summary: "End one session of this user",
    },
  );

  const endOthers = AuthenticatedAPIHandler.DELETE(
    bulwark.requireRecentAuth({ factor: "any" })(async (context) => {
      const ended = await auth.endOtherSessions(personOf(context), context);
      return ResponseBuilder.success({ ended });
    }),
    {
      path: "/api/auth/sessions",
      requireAuth: true,
      response: z.strictObject({ ended: z.int() }),
      errors: ["FORBIDDEN", "REAUTHENTICATION_REQUIRED"],
      summary: "End all other sessions of this user",
    },
  );

  const stepUp = AuthenticatedAPIHandler.POST(
    async (context) => {
      const { body } = context;
      const proof = "password" in body ? { method: "password" as const, ...body } : body;
      return answerSignIn(await auth.stepUp(personOf(context), proof, context), context);
    },
    {
      path: "/api/auth/step-up",
      requireAuth: true,
      limits: ["login"],
      body: z.union([z.strictObject({ password: Password }), FactorProof]),
      response: SignedIn,
      errors: ["INVALID_CREDENTIALS", "FORBIDDEN"],
      summary: "Prove a factor again; the session goes on under a new id",
    },
  );

  const csrf = AuthenticatedAPIHandler.GET(
    (context) => {
      const cookie = sessionCookieOf(readHeader(context, "cookie"));
      if (cookie === undefined || cookie === "ambiguous") {
        throw new BaseAPIError("INVALID_REQUEST", "Only a session in a cookie has a CSRF token.");
      }
      return { token: bulwark.csrf.generateToken(cookie.value) };
    },
    {
      path: "/api/auth/csrf",
      requireAuth: true,
      response: z.strictObject({ token: z.string() }),
      summary: "A CSRF token of this session, for x-csrf-token",
    },
  );

  return [login, challenge, refresh, logout, me, list, end, endOthers, stepUp, csrf];
}
