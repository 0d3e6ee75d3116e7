import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ForbiddenError, ResponseBuilder } from "../core/index.ts";
import { User } from "./user-schema.ts";

/** Longer texts are no address, name or password; they are refused before anything looks at them. */
const Email = z.string().max(320);
const Password = z.string().max(1_024);

const PERSON = { email: "ada@example.com", password: "correct horse battery staple" };

const RegisterBody = z
  .strictObject({ email: Email, password: Password, name: z.string().max(400) })
  .meta({ examples: [{ ...PERSON, name: "Ada" }] });

const LoginBody = z
  .strictObject({ email: Email, password: Password, mode: z.enum(["token"]).optional() })
  .meta({ examples: [PERSON] });

const Login = z.strictObject({
  accessToken: z.string(),
  expiresIn: z.int().positive().meta({ description: "Seconds." }),
  user: User,
});

const Me = z.strictObject({
  ...User.shape,
  sessionId: z.uuid(),
  methods: z
    .array(z.strictObject({ method: z.string(), at: z.int() }))
    .meta({ description: "How the session was proved, and when, in milliseconds since 1970." }),
});

export function authRoutes({ auth, handlers }: Bulwark): readonly AnyRoute[] {
  const { AuthenticatedAPIHandler } = handlers;

  const register = AuthenticatedAPIHandler.POST(
    async (context) =>
      ResponseBuilder.created({ user: await auth.register(context.body, context) }),
    {
      path: "/api/auth/register",
      requireAuth: false,
      limits: ["register"],
      body: RegisterBody,
      response: z.strictObject({ user: User }),
      status: 201,
      errors: ["CONFLICT"],
      summary: "Make an account",
    },
  );

  const login = AuthenticatedAPIHandler.POST(
    async (context) => ResponseBuilder.success(await auth.login(context.body, context)),
    {
      path: "/api/auth/login",
      requireAuth: false,
      limits: ["login"],
      body: LoginBody,
      response: Login,
      errors: ["INVALID_CREDENTIALS"],
      summary: "Sign in",
    },
  );

  const logout = AuthenticatedAPIHandler.POST(
    async (context) => {
      const { principal } = context;
      if (principal.kind !== "user") throw new ForbiddenError();
      await auth.logout(principal, context);
      context.header("clear-site-data", '"cache", "storage"');
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
      const { principal } = context;
      if (principal.kind !== "user") throw new ForbiddenError();
      const { sessionId, methods } = principal;
      return { ...(await auth.me(context.userId)), sessionId, methods };
    },
    {
      path: "/api/auth/me",
      requireAuth: true,
      response: Me,
      errors: ["FORBIDDEN"],
      summary: "Who is signed in",
    },
  );

  return [register, login, logout, me];
}
