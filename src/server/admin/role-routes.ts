import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import {
  type AnyRoute,
  parseDuration,
  ResponseBuilder,
  ValidationError,
} from "../../core/index.ts";
import { ADMIN_ERRORS, adminAction } from "./admin-action.ts";
import { administrator } from "./administrator.ts";

const RoleName = z.string().max(64);
const Permissions = z.array(z.string().max(128)).max(200);
const Description = z.string().max(500).nullable();
const TenantId = z.uuid().nullable();

const Role = z
  .strictObject({
    id: z.uuid(),
    tenantId: TenantId,
    name: z.string(),
    description: Description,
    permissions: z.array(z.string()),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Role" });

const Assignment = z
  .strictObject({
    userId: z.uuid(),
    role: z.string(),
    tenantId: TenantId,
    expiresAt: z.iso.datetime().nullable(),
    grantedBy: z.uuid().nullable(),
  })
  .meta({ id: "RoleAssignment" });

const NewRole = z
  .strictObject({
    name: RoleName,
    permissions: Permissions,
    description: Description.optional(),
    tenantId: TenantId.optional(),
  })
  .meta({ examples: [{ name: "editor", permissions: ["products:write"] }] });

const RoleChanges = z
  .strictObject({ permissions: Permissions.optional(), description: Description.optional() })
  .refine((body) => Object.keys(body).length > 0, { error: "Expected at least one field." })
  .meta({ examples: [{ permissions: ["products:read", "products:write"] }] });

const NewAssignment = z
  .strictObject({
    role: RoleName,
    tenantId: TenantId.optional(),
    expiresIn: z
      .string()
      .max(16)
      .optional()
      .meta({ description: "Such as 8h. Default: for good." }),
  })
  .meta({ examples: [{ role: "moderator", expiresIn: "8h" }] });

const InTenant = z.strictObject({ tenantId: z.uuid().optional() });

interface IdParams {
  readonly id: string;
}

/** Roles that are made at run time, and who has which role, where and until when. */
export function roleRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { roles, clock } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const admin = administrator(bulwark);
  const action = adminAction(bulwark);
  const idOf = (context: { readonly params: unknown }): string => (context.params as IdParams).id;
  const tenantOf = (context: { readonly query: unknown }): string | undefined =>
    (context.query as z.infer<typeof InTenant>).tenantId;

  const list = AuthenticatedAPIHandler.GET(
    admin((context) => roles.listRoles({ tenantId: tenantOf(context) ?? null })),
    {
      path: "/api/admin/roles",
      requireAuth: true,
      query: InTenant,
      response: z.array(Role),
      errors: ADMIN_ERRORS,
      summary: "Roles made at run time: those of everywhere, and a tenant's own",
    },
  );

  const create = AuthenticatedAPIHandler.POST(
    action(async (context) =>
      ResponseBuilder.created(
        await roles.createRole(context.body as z.infer<typeof NewRole>, context),
      ),
    ),
    {
      path: "/api/admin/roles",
      requireAuth: true,
      body: NewRole,
      response: Role,
      status: 201,
      errors: [...ADMIN_ERRORS, "CONFLICT", "NOT_FOUND"],
      summary: "Make a role of permissions that one holds oneself",
    },
  );

  const update = AuthenticatedAPIHandler.PATCH(
    action(async (context) =>
      ResponseBuilder.updated(
        await roles.updateRole(idOf(context), context.body as z.infer<typeof RoleChanges>, context),
      ),
    ),
    {
      path: "/api/admin/roles/:id",
      requireAuth: true,
      body: RoleChanges,
      response: Role,
      errors: [...ADMIN_ERRORS, "NOT_FOUND"],
      summary: "Change what a role may; the sessions of all who have it end",
    },
  );

  const remove = AuthenticatedAPIHandler.DELETE(
    action(async (context) => {
      await roles.deleteRole(idOf(context), context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/admin/roles/:id",
      requireAuth: true,
      response: z.null(),
      errors: [...ADMIN_ERRORS, "NOT_FOUND"],
      summary: "Remove a role, and take it from all who have it",
    },
  );

  const assignments = AuthenticatedAPIHandler.GET(
    admin((context) => roles.assignmentsOf(idOf(context))),
    {
      path: "/api/admin/users/:id/role-assignments",
      requireAuth: true,
      response: z.array(Assignment),
      errors: [...ADMIN_ERRORS, "NOT_FOUND"],
      summary: "The roles that somebody was given, beside those of their account",
    },
  );

  const assign = AuthenticatedAPIHandler.POST(
    action(async (context) => {
      const { role, tenantId, expiresIn } = context.body as z.infer<typeof NewAssignment>;
      const expiresAt =
        expiresIn === undefined ? null : new Date(clock.now() + lifetimeOf(expiresIn));
      return ResponseBuilder.created(
        await roles.assign({ userId: idOf(context), role, tenantId, expiresAt }, context),
      );
    }),
    {
      path: "/api/admin/users/:id/role-assignments",
      requireAuth: true,
      body: NewAssignment,
      response: Assignment,
      status: 201,
      errors: [...ADMIN_ERRORS, "NOT_FOUND"],
      summary: "Give somebody a role, for a time or for good; their sessions end",
    },
  );

  const unassign = AuthenticatedAPIHandler.DELETE(
    action(async (context) => {
      const { id: userId, role } = context.params as IdParams & { readonly role: string };
      await roles.unassign({ userId, role, tenantId: tenantOf(context) ?? null }, context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/admin/users/:id/role-assignments/:role",
      requireAuth: true,
      query: InTenant,
      response: z.null(),
      errors: [...ADMIN_ERRORS, "NOT_FOUND"],
      summary: "Take a role that somebody was given; their sessions end",
    },
  );

  return [list, create, update, remove, assignments, assign, unassign];
}

/** Throws a ValidationError only if the text is no duration. */
function lifetimeOf(text: string): number {
  try {
    return parseDuration(text, "expiresIn");
  } catch (error) {
    throw new ValidationError([
      { field: "expiresIn", message: (error as Error).message, code: "invalid_duration" },
    ]);
  }
}
