import { bigint, index, integer, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, bytea } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";

/** What browsers reported of pages, alike ones in one row with their number. Of no row can be told who reported it. */
export const browserReports = bulwarkSchema.table(
  "browser_reports",
  {
    id: uuid("id").primaryKey(),
    /** Of all that makes reports alike. */
    digest: bytea("digest").notNull(),
    type: text("type").notNull(),
    document: text("document").notNull(),
    subject: text("subject"),
    blocked: text("blocked"),
    source: text("source"),
    line: integer("line"),
    disposition: text("disposition").notNull(),
    count: bigint("count", { mode: "number" }).notNull(),
    firstSeenAt: at("first_seen_at").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
  },
  (table) => [
    uniqueIndex("browser_reports_digest_key").on(table.digest),
    index("browser_reports_last_seen_at_idx").on(table.lastSeenAt),
  ],
);
