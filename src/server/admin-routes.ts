import { z } from "zod";
import { requireRoles } from "../access/index.ts";
import { readAudit } from "../audit/index.ts";
import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../core/index.ts";
import { page } from "./page-query.ts";

const AuditQuery = z.strictObject({
  ...page,
  type: z.string().max(128).optional(),
  userId: z.uuid().optional(),
  from: z.iso.datetime({ offset: true }).pipe(z.coerce.date()).optional(),
  to: z.iso.datetime({ offset: true }).pipe(z.coerce.date()).optional(),
});

export function adminRoutes({ database, handlers }: Bulwark): readonly AnyRoute[] {
  const audit = handlers.AuthenticatedAPIHandler.GET(
    requireRoles("admin")(async (context) =>
      ResponseBuilder.fromQueryResult(await readAudit(database, context.query)),
    ),
    {
      path: "/api/admin/audit",
      requireAuth: true,
      query: AuditQuery,
      summary: "The audit log, the newest first",
    },
  );
  return [audit];
}
