import { z } from "zod";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../../core/index.ts";
import { page } from "../page-query.ts";
import { ADMIN_ERRORS, adminAction } from "./admin-action.ts";
import { administrator } from "./administrator.ts";

const Tenant = z
  .strictObject({ id: z.uuid(), name: z.string(), createdAt: z.iso.datetime() })
  .meta({ id: "Tenant" });

const Member = z
  .strictObject({
    userId: z.uuid(),
    email: z.string(),
    name: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "TenantMember" });

const TenantBody = z
  .strictObject({ name: z.string().max(200) })
  .meta({ examples: [{ name: "Example Ltd" }] });
const NewMember = z.strictObject({ userId: z.string().max(64) });
const PageQuery = z.strictObject(page);

interface IdParams {
  readonly id: string;
}

/** Tenants, and who belongs to them. */
export function tenantAdminRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { tenants } = bulwark;
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const admin = administrator(bulwark);
  const action = adminAction(bulwark);
  const idOf = (context: { readonly params: unknown }): string => (context.params as IdParams).id;
  const errors = [...ADMIN_ERRORS, "NOT_FOUND"] as const;

  const list = AuthenticatedAPIHandler.GET(
    admin(async (context) => {
      const query = context.query as z.infer<typeof PageQuery>;
      const { rows, total } = await tenants.list(query);
      return ResponseBuilder.paginated(rows, { ...query, total });
    }),
    {
      path: "/api/admin/tenants",
      requireAuth: true,
      query: PageQuery,
      response: z.array(Tenant),
      errors: ADMIN_ERRORS,
      summary: "Tenants, the oldest first",
    },
  );

  const create = AuthenticatedAPIHandler.POST(
    action(async (context) =>
      ResponseBuilder.created(
        await tenants.create(context.body as z.infer<typeof TenantBody>, context),
      ),
    ),
    {
      path: "/api/admin/tenants",
      requireAuth: true,
      body: TenantBody,
      response: Tenant,
      status: 201,
      errors: ADMIN_ERRORS,
      summary: "Make a tenant",
    },
  );

  const rename = AuthenticatedAPIHandler.PATCH(
    action(async (context) => {
      const { name } = context.body as z.infer<typeof TenantBody>;
      return ResponseBuilder.updated(await tenants.rename(idOf(context), name, context));
    }),
    {
      path: "/api/admin/tenants/:id",
      requireAuth: true,
      body: TenantBody,
      response: Tenant,
      errors,
      summary: "Rename a tenant",
    },
  );

  const remove = AuthenticatedAPIHandler.DELETE(
    action(async (context) => {
      await tenants.delete(idOf(context), context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/admin/tenants/:id",
      requireAuth: true,
      response: z.null(),
      errors,
      summary: "Remove a tenant with its members, roles, keys and sessions",
    },
  );

  const members = AuthenticatedAPIHandler.GET(
    admin(async (context) => {
      const query = context.query as z.infer<typeof PageQuery>;
      const { rows, total } = await tenants.members(idOf(context), query);
      return ResponseBuilder.paginated(rows, { ...query, total });
    }),
    {
      path: "/api/admin/tenants/:id/members",
      requireAuth: true,
      query: PageQuery,
      response: z.array(Member),
      errors,
      summary: "Who belongs to a tenant",
    },
  );

  const addMember = AuthenticatedAPIHandler.POST(
    action(async (context) => {
      const { userId } = context.body as z.infer<typeof NewMember>;
      await tenants.addMember(idOf(context), userId, context);
      return ResponseBuilder.created(null);
    }),
    {
      path: "/api/admin/tenants/:id/members",
      requireAuth: true,
      body: NewMember,
      response: z.null(),
      status: 201,
      errors,
      summary: "Take somebody into a tenant",
    },
  );

  const removeMember = AuthenticatedAPIHandler.DELETE(
    action(async (context) => {
      const { id, userId } = context.params as IdParams & { readonly userId: string };
      await tenants.removeMember(id, userId, context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/admin/tenants/:id/members/:userId",
      requireAuth: true,
      response: z.null(),
      errors,
      summary: "End a membership, its roles and its sessions",
    },
  );

  return [list, create, rename, remove, members, addMember, removeMember];
}
