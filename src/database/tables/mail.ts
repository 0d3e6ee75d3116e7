import { index, integer, text, uuid } from "drizzle-orm/pg-core";
import { at } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";

/** Mail that waits to be sent. It is written with the change that it tells of, and its text is sealed. */
export const mailOutbox = bulwarkSchema.table(
  "mail_outbox",
  {
    id: uuid("id").primaryKey(),
    sealed: text("sealed").notNull(),
    attempts: integer("attempts").notNull().default(0),
    createdAt: at("created_at").notNull(),
    /** When it is due; moved ahead while a process is sending it, and after a failure. */
    dueAt: at("due_at").notNull(),
    /** After it nobody needs the mail any more: its link is dead. */
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [index("mail_outbox_due_at_idx").on(table.dueAt)],
);
