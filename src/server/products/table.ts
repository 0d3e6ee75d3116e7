import { index, numeric, pgSchema, text, timestamp, uuid } from "drizzle-orm/pg-core";
import type { MigrationSet } from "../../database/index.ts";

export const referenceSchema = pgSchema("reference");

const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });

export const products = referenceSchema.table(
  "products",
  {
    id: uuid("id").primaryKey(),
    ownerId: uuid("owner_id").notNull(),
    name: text("name").notNull(),
    description: text("description"),
    price: numeric("price", { mode: "number" }).notNull(),
    category: text("category").notNull(),
    createdAt: at("created_at").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (table) => [
    index("products_category_idx").on(table.category),
    index("products_created_at_idx").on(table.createdAt),
  ],
);

export const productMigrations: MigrationSet = {
  name: "reference",
  migrations: [
    {
      id: "0001-products",
      sql: `
CREATE SCHEMA IF NOT EXISTS reference;
CREATE TABLE reference.products (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL,
  name text NOT NULL,
  description text,
  price numeric NOT NULL,
  category text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
);
CREATE INDEX products_category_idx ON reference.products (category);
CREATE INDEX products_created_at_idx ON reference.products (created_at);`,
    },
  ],
};
