import { sql } from "drizzle-orm";
import { bigint, check, date, index, jsonb, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { users } from "./auth.ts";
import { at, bytea } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";
import { tenants } from "./tenants.ts";

/** API keys: the hash of a secret, and what it opens. With a user, the user's key, in the tenant if one stands; without, the tenant's own. */
export const apiKeys = bulwarkSchema.table(
  "api_keys",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id").references(() => users.id, { onDelete: "cascade" }),
    tenantId: uuid("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    environment: text("environment").notNull().$type<"live" | "test">(),
    secretHash: bytea("secret_hash").notNull(),
    scopes: text("scopes").array().notNull(),
    /** Addresses and ranges from which it is accepted; null for all. */
    allowedAddresses: text("allowed_addresses").array(),
    limits: jsonb("limits")
      .notNull()
      .$type<readonly { name: string; requests: number; window: string }[]>(),
    /** Requests of a calendar month in UTC; null for no end. */
    monthlyQuota: bigint("monthly_quota", { mode: "number" }),
    /** The month that `quotaUsed` counts, as its first day. */
    quotaMonth: date("quota_month"),
    /** Requests of that month that processes have taken for themselves, used or not yet. */
    quotaUsed: bigint("quota_used", { mode: "number" }).notNull().default(0),
    /** How many of them the last statement took. */
    quotaLease: bigint("quota_lease", { mode: "number" }).notNull().default(0),
    createdAt: at("created_at").notNull(),
    /** Who made it; null for an operator's command. */
    createdBy: uuid("created_by"),
    expiresAt: at("expires_at").notNull(),
    disabledAt: at("disabled_at"),
    lastUsedAt: at("last_used_at"),
    /** The key that took its place. */
    successorId: uuid("successor_id"),
  },
  (table) => [
    index("api_keys_user_id_idx").on(table.userId),
    index("api_keys_tenant_id_idx").on(table.tenantId),
    index("api_keys_expires_at_idx").on(table.expiresAt),
    check("api_keys_owner", sql`${table.userId} IS NOT NULL OR ${table.tenantId} IS NOT NULL`),
  ],
);

/** Requests of each key, by day in UTC. */
export const apiKeyUsage = bulwarkSchema.table(
  "api_key_usage",
  {
    id: uuid("id").primaryKey(),
    keyId: uuid("key_id")
      .notNull()
      .references(() => apiKeys.id, { onDelete: "cascade" }),
    day: date("day").notNull(),
    requests: bigint("requests", { mode: "number" }).notNull(),
  },
  (table) => [
    uniqueIndex("api_key_usage_key_id_day_key").on(table.keyId, table.day),
    index("api_key_usage_day_idx").on(table.day),
  ],
);
