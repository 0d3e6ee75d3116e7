import { and, count, desc, eq, gte, lt } from "drizzle-orm";
import { type Pagination, paginationOf } from "../core/index.ts";
import { auditEvents, type Database } from "../database/index.ts";

export interface AuditQuery {
  readonly page: number;
  readonly limit: number;
  readonly type?: string | undefined;
  readonly userId?: string | undefined;
  /** From this moment on. */
  readonly from?: Date | undefined;
  /** Before this moment. */
  readonly to?: Date | undefined;
}

export type AuditEntry = Omit<typeof auditEvents.$inferSelect, "bucket">;

export interface AuditPage {
  readonly data: readonly AuditEntry[];
  readonly pagination: Pagination;
}

/** readAudit returns one page of the log, the newest first. */
export async function readAudit(database: Database, query: AuditQuery): Promise<AuditPage> {
  const { page, limit } = query;
  const where = and(
    query.type === undefined ? undefined : eq(auditEvents.type, query.type),
    query.userId === undefined ? undefined : eq(auditEvents.userId, query.userId),
    query.from === undefined ? undefined : gte(auditEvents.at, query.from),
    query.to === undefined ? undefined : lt(auditEvents.at, query.to),
  );
  return database.run(async (orm) => {
    const rows = await orm
      .select()
      .from(auditEvents)
      .where(where)
      .orderBy(desc(auditEvents.seq))
      .limit(limit)
      .offset((page - 1) * limit);
    const [counted] = await orm.select({ total: count() }).from(auditEvents).where(where);
    const data = rows.map(({ bucket: _bucket, ...entry }) => entry);
    return { data, pagination: paginationOf({ page, limit, total: counted?.total ?? 0 }) };
  });
}
