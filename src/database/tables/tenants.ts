import { text, uuid } from "drizzle-orm/pg-core";
import { at } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";

/** Customers whose data are kept apart. */
export const tenants = bulwarkSchema.table("tenants", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  createdAt: at("created_at").notNull(),
});
