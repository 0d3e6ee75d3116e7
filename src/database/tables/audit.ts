import { bigint, index, integer, jsonb, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";
import { bulwarkSchema } from "./schema.ts";

/** The audit log. Rows are only added, but for `count` of a row that stands for many alike. */
export const auditEvents = bulwarkSchema.table(
  "audit_events",
  {
    seq: bigint("seq", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    id: uuid("id").notNull(),
    at: timestamp("at", { withTimezone: true, mode: "date", precision: 3 }).notNull(),
    type: text("type").notNull(),
    severity: text("severity").notNull(),
    result: text("result").notNull(),
    userId: uuid("user_id"),
    sessionId: uuid("session_id"),
    keyId: text("key_id"),
    address: text("address"),
    agent: text("agent"),
    requestId: text("request_id"),
    resource: text("resource"),
    action: text("action"),
    metadata: jsonb("metadata").notNull().$type<Record<string, unknown>>(),
    count: integer("count").notNull().default(1),
    bucket: text("bucket"),
  },
  (table) => [
    unique("audit_events_bucket_key").on(table.bucket),
    index("audit_events_type_seq_idx").on(table.type, table.seq),
    index("audit_events_user_id_seq_idx").on(table.userId, table.seq),
  ],
);
