import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, APIResult, ResponseBuilder } from "../../core/index.ts";
import { personOf } from "../auth-answers.ts";
import { Email, Name } from "../auth-schemas.ts";
import { page } from "../page-query.ts";
import { User } from "../user-schema.ts";
import { ADMIN_ERRORS, adminAction } from "./admin-action.ts";
import { administrator } from "./administrator.ts";

const Account = z
  .strictObject({
    ...User.shape,
    createdAt: z.iso.datetime(),
    emailVerifiedAt: z.iso.datetime().nullable(),
    disabledAt: z.iso.datetime().nullable(),
    lockedAt: z.iso.datetime().nullable(),
    passwordLockedUntil: z.iso.datetime().nullable(),
    deleteAt: z.iso.datetime().nullable(),
    hasPassword: z.boolean(),
    totp: z.boolean(),
    passkeys: z.int(),
    sessions: z.int(),
    factorResetAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "Account" });

const SessionOfUser = z
  .strictObject({
    id: z.uuid(),
    userId: z.uuid(),
    mode: z.enum(["token", "cookie"]),
    address: z.string().nullable(),
    agent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    idleExpiresAt: z.iso.datetime(),
  })
  .meta({ id: "SessionOfUser" });

const Roles = z.array(z.enum(["user", "moderator", "admin"])).max(16);
const Empty = z.strictObject({}).optional();

/** What administrators see of accounts and do to them. */
export function adminUserRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { accounts, registration } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const admin = administrator(bulwark);
  const perform = adminAction(bulwark);
  const errors = ADMIN_ERRORS;

  const list = AuthenticatedAPIHandler.GET(
    admin(async (context) => {
      const query = context.query as z.infer<typeof AccountsQuery>;
      const { rows, total } = await accounts.list(query);
      return ResponseBuilder.paginated(rows, { page: query.page, limit: query.limit, total });
    }),
    {
      path: "/api/admin/users",
      requireAuth: true,
      query: AccountsQuery,
      response: z.array(Account),
      errors,
      summary: "Accounts, the newest first",
    },
  );

  const one = AuthenticatedAPIHandler.GET(
    admin((context) => accounts.get((context.params as { readonly id: string }).id)),
    {
      path: "/api/admin/users/:id",
      requireAuth: true,
      response: Account,
      errors: [...errors, "NOT_FOUND"],
      summary: "One account and the state of its credentials",
    },
  );

  const sessions = AuthenticatedAPIHandler.GET(
    admin(async (context) => {
      const query = context.query as z.infer<typeof SessionsQuery>;
      const { rows, total } = await accounts.sessions(query);
      return ResponseBuilder.paginated(rows, { page: query.page, limit: query.limit, total });
    }),
    {
      path: "/api/admin/sessions",
      requireAuth: true,
      query: SessionsQuery,
      response: z.array(SessionOfUser),
      errors,
      summary: "Sessions of everyone, or of one user",
    },
  );

  const action = (
    name: string,
    summary: string,
    act: (id: string, context: Parameters<typeof accounts.lock>[1]) => Promise<unknown>,
  ): AnyRoute =>
    AuthenticatedAPIHandler.POST(
      perform(async (context) =>
        ResponseBuilder.success(await act((context.params as { readonly id: string }).id, context)),
      ),
      {
        path: `/api/admin/users/:id/${name}`,
        requireAuth: true,
        body: Empty,
        response: Account,
        errors: [...errors, "NOT_FOUND", "CONFLICT"],
        summary,
      },
    );

  const roles = AuthenticatedAPIHandler.POST(
    perform(async (context) => {
      const { id } = context.params as { readonly id: string };
      const body = context.body as { readonly roles: z.infer<typeof Roles> };
      return ResponseBuilder.success(await accounts.setRoles(id, body.roles, context));
    }),
    {
      path: "/api/admin/users/:id/roles",
      requireAuth: true,
      body: z.strictObject({ roles: Roles }),
      response: Account,
      errors: [...errors, "NOT_FOUND", "CONFLICT"],
      summary: "Give an account its roles; its sessions end",
    },
  );

  const resetMfa = AuthenticatedAPIHandler.POST(
    perform(async (context) => {
      const { id } = context.params as { readonly id: string };
      const result = await accounts.resetMfa(id, personOf(context), context);
      return new APIResult(result.done ? 200 : 202, result);
    }),
    {
      path: "/api/admin/users/:id/reset-mfa",
      requireAuth: true,
      body: Empty,
      response: z.strictObject({ done: z.boolean(), effectiveAt: z.iso.datetime() }),
      errors: [...errors, "NOT_FOUND"],
      summary: "Remove second factors: by two administrators, or a day later",
    },
  );

  const invite = AuthenticatedAPIHandler.POST(
    perform(async (context) => {
      const body = context.body as z.infer<typeof InviteBody>;
      const input = { ...body, roles: body.roles ?? ["user"] };
      return ResponseBuilder.created({ user: await registration.invite(input, context) });
    }),
    {
      path: "/api/admin/users/invite",
      requireAuth: true,
      body: InviteBody,
      response: z.strictObject({ user: User }),
      status: 201,
      errors: [...errors, "CONFLICT"],
      summary: "Make an account and mail its owner an invitation",
    },
  );

  return [
    list,
    one,
    sessions,
    invite,
    action("lock", "Shut an account until unlock", (id, c) => accounts.lock(id, c)),
    action("unlock", "End every lock of an account", (id, c) => accounts.unlock(id, c)),
    action("disable", "Disable an account; its keys die too", (id, c) => accounts.disable(id, c)),
    action("enable", "Enable an account", (id, c) => accounts.enable(id, c)),
    action("revoke-sessions", "End all sessions of an account", (id, c) =>
      accounts.revokeSessions(id, c),
    ),
    roles,
    resetMfa,
  ];
}

const AccountsQuery = z.strictObject({
  ...page,
  search: z.string().max(200).optional(),
  role: z.enum(["user", "moderator", "admin"]).optional(),
});

const SessionsQuery = z.strictObject({ ...page, userId: z.uuid().optional() });

const InviteBody = z.strictObject({ email: Email, name: Name, roles: Roles.optional() });
