import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, bytea } from "./columns.ts";
import { bulwarkSchema } from "./schema.ts";
import { tenants } from "./tenants.ts";

/** People who can sign in. `email` is normalised. */
export const users = bulwarkSchema.table(
  "users",
  {
    id: uuid("id").primaryKey(),
    email: text("email").notNull(),
    name: text("name").notNull(),
    /** Null while no password was chosen: invited people, and those who sign in elsewhere. */
    passwordHash: text("password_hash"),
    /** True for a password that is long enough only beside a second factor. */
    shortPassword: boolean("short_password").notNull().default(false),
    roles: text("roles").array().notNull(),
    emailVerifiedAt: at("email_verified_at"),
    disabledAt: at("disabled_at"),
    /** When the account is to be deleted; signing in before takes it back. */
    deleteAt: at("delete_at"),
    createdAt: at("created_at").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (table) => [
    unique("users_email_key").on(table.email),
    index("users_delete_at_idx").on(table.deleteAt),
  ],
);

/** Signed-in sessions. A token names one by its id, signed; a cookie carries a secret, of which only the hash stands here. */
export const sessions = bulwarkSchema.table(
  "sessions",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** `token` or `cookie`: how the session is carried, and the only way in which it is accepted. */
    mode: text("mode").notNull().$type<"token" | "cookie">(),
    /** Of a cookie's secret; null for tokens. */
    secretHash: bytea("secret_hash"),
    /** The tenant that the session acts in, if in any. */
    tenantId: uuid("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    methods: jsonb("methods").notNull().$type<readonly { method: string; at: number }[]>(),
    address: text("address"),
    agent: text("agent"),
    createdAt: at("created_at").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
    /** The absolute end, however much the session is used. */
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [
    unique("sessions_secret_hash_key").on(table.secretHash),
    index("sessions_user_id_idx").on(table.userId),
    index("sessions_expires_at_idx").on(table.expiresAt),
  ],
);

/** Refresh tokens: one family for each session, which holds the hash of its newest generation and of the one before. */
export const refreshFamilies = bulwarkSchema.table(
  "refresh_families",
  {
    id: uuid("id").primaryKey(),
    sessionId: uuid("session_id")
      .notNull()
      .references(() => sessions.id, { onDelete: "cascade" }),
    generation: integer("generation").notNull(),
    secretHash: bytea("secret_hash").notNull(),
    previousHash: bytea("previous_hash"),
    rotatedAt: at("rotated_at").notNull(),
    createdAt: at("created_at").notNull(),
  },
  (table) => [unique("refresh_families_session_id_key").on(table.sessionId)],
);

/** Browsers and apps from which a user has signed in with all factors. Each has failure counters of its own. */
export const devices = bulwarkSchema.table(
  "devices",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    secretHash: bytea("secret_hash").notNull(),
    agent: text("agent"),
    failures: integer("failures").notNull().default(0),
    lockedUntil: at("locked_until"),
    createdAt: at("created_at").notNull(),
    lastSeenAt: at("last_seen_at").notNull(),
    expiresAt: at("expires_at").notNull(),
  },
  (table) => [
    unique("devices_secret_hash_key").on(table.secretHash),
    index("devices_user_id_idx").on(table.userId),
  ],
);

/** Failures of an account: of passwords from unknown devices, and of second factors from anywhere. */
export const accountGuards = bulwarkSchema.table("account_guards", {
  userId: uuid("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  passwordFailures: integer("password_failures").notNull().default(0),
  passwordLockedUntil: at("password_locked_until"),
  factorFailures: integer("factor_failures").notNull().default(0),
  factorLockedUntil: at("factor_locked_until"),
  /** An administrator's lock, which no time ends. */
  lockedAt: at("locked_at"),
});

/** Tokens that work once, by their hash. `data` is what the purpose needs to know at the end, and never a secret. */
export const oneTimeTokens = bulwarkSchema.table(
  "one_time_tokens",
  {
    id: uuid("id").primaryKey(),
    purpose: text("purpose").notNull(),
    tokenHash: bytea("token_hash").notNull(),
    userId: uuid("user_id").references(() => users.id, { onDelete: "cascade" }),
    data: jsonb("data").notNull().default({}).$type<Readonly<Record<string, unknown>>>(),
    createdAt: at("created_at").notNull(),
    expiresAt: at("expires_at").notNull(),
    usedAt: at("used_at"),
  },
  (table) => [
    unique("one_time_tokens_token_hash_key").on(table.tokenHash),
    index("one_time_tokens_user_id_purpose_idx").on(table.userId, table.purpose),
    index("one_time_tokens_expires_at_idx").on(table.expiresAt),
  ],
);

/** Time-based one-time passwords (RFC 6238). The secret is sealed; the last step that was accepted never works again. */
export const totpCredentials = bulwarkSchema.table("totp_credentials", {
  userId: uuid("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  secretSealed: text("secret_sealed").notNull(),
  lastStep: bigint("last_step", { mode: "number" }).notNull().default(0),
  createdAt: at("created_at").notNull(),
  /** Null until a first code has proved that the app holds the secret; such a credential admits nobody. */
  confirmedAt: at("confirmed_at"),
});

/** Recovery codes, each good once, by their hash. */
export const recoveryCodes = bulwarkSchema.table(
  "recovery_codes",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    codeHash: bytea("code_hash").notNull(),
    createdAt: at("created_at").notNull(),
    usedAt: at("used_at"),
  },
  (table) => [unique("recovery_codes_user_id_code_hash_key").on(table.userId, table.codeHash)],
);

/** Passkeys (WebAuthn credentials): public keys, nothing secret. */
export const passkeys = bulwarkSchema.table(
  "passkeys",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    credentialId: text("credential_id").notNull(),
    publicKey: bytea("public_key").notNull(),
    counter: bigint("counter", { mode: "number" }).notNull(),
    transports: jsonb("transports").notNull().$type<readonly string[]>(),
    name: text("name").notNull(),
    backedUp: boolean("backed_up").notNull(),
    createdAt: at("created_at").notNull(),
    lastUsedAt: at("last_used_at"),
  },
  (table) => [
    unique("passkeys_credential_id_key").on(table.credentialId),
    index("passkeys_user_id_idx").on(table.userId),
  ],
);

/** Accounts at OpenID providers that sign a user in: the issuer and its subject, never an e-mail address. */
export const identities = bulwarkSchema.table(
  "identities",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    provider: text("provider").notNull(),
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    createdAt: at("created_at").notNull(),
    lastUsedAt: at("last_used_at"),
  },
  (table) => [
    uniqueIndex("identities_issuer_subject_key").on(table.issuer, table.subject),
    index("identities_user_id_idx").on(table.userId),
  ],
);

/** Keys that sign tokens with an asymmetric algorithm: public part, and private part sealed. */
export const signingKeys = bulwarkSchema.table("signing_keys", {
  /** The `kid`. */
  id: text("id").primaryKey(),
  algorithm: text("algorithm").notNull(),
  publicJwk: jsonb("public_jwk").notNull().$type<Readonly<Record<string, unknown>>>(),
  privateSealed: text("private_sealed").notNull(),
  createdAt: at("created_at").notNull(),
  /** From when it signs; until then it is only published. */
  activeAt: at("active_at").notNull(),
  /** From when it verifies nothing more; null while no successor was made. */
  retiresAt: at("retires_at"),
});

/** An administrator's reset of someone's second factors, which waits for a second administrator or for its time. */
export const factorResets = bulwarkSchema.table(
  "factor_resets",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    requestedBy: uuid("requested_by").notNull(),
    createdAt: at("created_at").notNull(),
    effectiveAt: at("effective_at").notNull(),
  },
  (table) => [unique("factor_resets_user_id_key").on(table.userId)],
);
