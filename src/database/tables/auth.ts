import { customType, index, jsonb, text, timestamp, unique, uuid } from "drizzle-orm/pg-core";
import { bulwarkSchema } from "./schema.ts";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date", precision: 3 });

/** People who can sign in. `email` is normalised. */
export const users = bulwarkSchema.table(
  "users",
  {
    id: uuid("id").primaryKey(),
    email: text("email").notNull(),
    name: text("name").notNull(),
    passwordHash: text("password_hash").notNull(),
    roles: text("roles").array().notNull(),
    emailVerifiedAt: at("email_verified_at"),
    disabledAt: at("disabled_at"),
    createdAt: at("created_at").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (table) => [unique("users_email_key").on(table.email)],
);

/** Signed-in sessions. Of what a token carries only a hash stands here. */
export const sessions = bulwarkSchema.table(
  "sessions",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    handleHash: bytea("handle_hash").notNull(),
    methods: jsonb("methods").notNull().$type<readonly { method: string; at: number }[]>(),
    address: text("address"),
    agent: text("agent"),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [
    unique("sessions_handle_hash_key").on(table.handleHash),
    index("sessions_user_id_idx").on(table.userId),
    index("sessions_expires_at_idx").on(table.expiresAt),
  ],
);

/** Tokens that work once, by their hash. */
export const oneTimeTokens = bulwarkSchema.table(
  "one_time_tokens",
  {
    id: uuid("id").primaryKey(),
    purpose: text("purpose").notNull(),
    tokenHash: bytea("token_hash").notNull(),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
    usedAt: at("used_at"),
  },
  (table) => [unique("one_time_tokens_token_hash_key").on(table.tokenHash)],
);
