import { sql } from "drizzle-orm";
import { index, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { users } from "./auth.ts";
import { at } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";
import { tenants } from "./tenants.ts";

/** Who belongs to a tenant. */
export const memberships = bulwarkSchema.table(
  "memberships",
  {
    id: uuid("id").primaryKey(),
    tenantId: uuid("tenant_id")
      .notNull()
      .references(() => tenants.id, { onDelete: "cascade" }),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    createdAt: at("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("memberships_tenant_id_user_id_key").on(table.tenantId, table.userId),
    index("memberships_user_id_idx").on(table.userId),
  ],
);

/** Roles that were made at run time; those of a tenant can be given only in it. Roles from code stand in no table. */
export const roles = bulwarkSchema.table(
  "roles",
  {
    id: uuid("id").primaryKey(),
    tenantId: uuid("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    description: text("description"),
    permissions: text("permissions").array().notNull(),
    createdAt: at("created_at").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (table) => [
    uniqueIndex("roles_tenant_id_name_key").on(table.tenantId, table.name),
    uniqueIndex("roles_name_key").on(table.name).where(sql`tenant_id IS NULL`),
  ],
);

/** Roles given to users, for a time or for good, everywhere or in one tenant. `users.roles` stands beside them. */
export const roleAssignments = bulwarkSchema.table(
  "role_assignments",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** A role from code, or one of the table roles. */
    role: text("role").notNull(),
    tenantId: uuid("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    expiresAt: at("expires_at"),
    grantedBy: uuid("granted_by"),
    createdAt: at("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("role_assignments_user_id_role_tenant_id_key").on(
      table.userId,
      table.role,
      table.tenantId,
    ),
    uniqueIndex("role_assignments_user_id_role_key")
      .on(table.userId, table.role)
      .where(sql`tenant_id IS NULL`),
  ],
);
