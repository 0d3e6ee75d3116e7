import { z } from "zod";
import { readAudit } from "../../audit/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../../core/index.ts";
import { page } from "../page-query.ts";
import { administrator } from "./administrator.ts";

const AuditQuery = z.strictObject({
  ...page,
  type: z.string().max(128).optional(),
  userId: z.uuid().optional(),
  from: z.iso.datetime({ offset: true }).pipe(z.coerce.date()).optional(),
  to: z.iso.datetime({ offset: true }).pipe(z.coerce.date()).optional(),
});

const AuditEntry = z
  .strictObject({
    seq: z.int(),
    id: z.uuid(),
    at: z.iso.datetime(),
    type: z.string().meta({ examples: ["auth.login"] }),
    severity: z.string(),
    result: z.string(),
    userId: z.uuid().nullable(),
    sessionId: z.uuid().nullable(),
    keyId: z.string().nullable(),
    address: z.string().nullable(),
    agent: z.string().nullable(),
    requestId: z.string().nullable(),
    resource: z.string().nullable(),
    action: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    count: z.int().positive().meta({ description: "How many alike this row stands for." }),
  })
  .meta({ id: "AuditEntry" });

export function auditRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { database, handlers } = bulwark;
  const audit = handlers.AuthenticatedAPIHandler.GET(
    administrator(bulwark)(async (context) =>
      ResponseBuilder.fromQueryResult(
        await readAudit(database, context.query as z.infer<typeof AuditQuery>),
      ),
    ),
    {
      path: "/api/admin/audit",
      requireAuth: true,
      query: AuditQuery,
      response: z.array(AuditEntry),
      summary: "The audit log, the newest first",
    },
  );
  return [audit];
}
