import { z } from "zod";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ForbiddenError, ResponseBuilder } from "../core/index.ts";

/** Longer texts are no address, name or password; they are refused before anything looks at them. */
const Email = z.string().max(320);
const Password = z.string().max(1_024);

const RegisterBody = z.strictObject({
  email: Email,
  password: Password,
  name: z.string().max(400),
});
const LoginBody = z.strictObject({
  email: Email,
  password: Password,
  mode: z.enum(["token"]).optional(),
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
    { path: "/api/auth/logout", requireAuth: true, summary: "End this session and its tokens" },
  );

  const me = AuthenticatedAPIHandler.GET(
    async (context) => {
      const { principal } = context;
      if (principal.kind !== "user") throw new ForbiddenError();
      const { sessionId, methods } = principal;
      return { ...(await auth.me(context.userId)), sessionId, methods };
    },
    { path: "/api/auth/me", requireAuth: true, summary: "Who is signed in" },
  );

  return [register, login, logout, me];
}
