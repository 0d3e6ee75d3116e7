import type { Migration } from "../migrate.ts";

/** The tables of accounts, sessions, mail and the audit log. A migration that was released is never changed; another one follows it. */
export const accountMigrations: readonly Migration[] = [
  {
    id: "0001-accounts",
    sql: `
CREATE TABLE bulwark.users (
  id uuid PRIMARY KEY,
  email text NOT NULL CONSTRAINT users_email_key UNIQUE,
  name text NOT NULL,
  password_hash text NOT NULL,
  roles text[] NOT NULL,
  email_verified_at timestamp(3) with time zone,
  disabled_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE bulwark.sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT sessions_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  handle_hash bytea NOT NULL CONSTRAINT sessions_handle_hash_key UNIQUE,
  methods jsonb NOT NULL,
  address text,
  agent text,
  created_at timestamp(3) with time zone NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
CREATE INDEX sessions_user_id_idx ON bulwark.sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON bulwark.sessions (expires_at);
CREATE TABLE bulwark.one_time_tokens (
  id uuid PRIMARY KEY,
  purpose text NOT NULL,
  token_hash bytea NOT NULL CONSTRAINT one_time_tokens_token_hash_key UNIQUE,
  created_at timestamp(3) with time zone NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL,
  used_at timestamp(3) with time zone
);`,
  },
  {
    id: "0002-audit",
    sql: `
CREATE TABLE bulwark.audit_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  type text NOT NULL,
  severity text NOT NULL,
  result text NOT NULL,
  user_id uuid,
  session_id uuid,
  key_id text,
  address text,
  agent text,
  request_id text,
  resource text,
  action text,
  metadata jsonb NOT NULL,
  count integer NOT NULL DEFAULT 1,
  bucket text CONSTRAINT audit_events_bucket_key UNIQUE
);
CREATE INDEX audit_events_type_seq_idx ON bulwark.audit_events (type, seq);
CREATE INDEX audit_events_user_id_seq_idx ON bulwark.audit_events (user_id, seq);`,
  },
  {
    id: "0003-authentication",
    sql: `
ALTER TABLE bulwark.users ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE bulwark.users ADD COLUMN short_password boolean NOT NULL DEFAULT false;
ALTER TABLE bulwark.users ADD COLUMN delete_at timestamp(3) with time zone;
CREATE INDEX users_delete_at_idx ON bulwark.users (delete_at);
DELETE FROM bulwark.sessions;
ALTER TABLE bulwark.sessions DROP COLUMN handle_hash;
ALTER TABLE bulwark.sessions ADD COLUMN mode text NOT NULL;
ALTER TABLE bulwark.sessions ADD COLUMN secret_hash bytea CONSTRAINT sessions_secret_hash_key UNIQUE;
ALTER TABLE bulwark.sessions ADD COLUMN last_seen_at timestamp(3) with time zone NOT NULL;
CREATE TABLE bulwark.refresh_families (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL CONSTRAINT refresh_families_session_id_key UNIQUE
    CONSTRAINT refresh_families_session_id_sessions_id_fk
    REFERENCES bulwark.sessions (id) ON DELETE CASCADE,
  generation integer NOT NULL,
  secret_hash bytea NOT NULL,
  previous_hash bytea,
  rotated_at timestamp(3) with time zone NOT NULL,
  created_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE bulwark.devices (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT devices_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  secret_hash bytea NOT NULL CONSTRAINT devices_secret_hash_key UNIQUE,
  agent text,
  failures integer NOT NULL DEFAULT 0,
  locked_until timestamp(3) with time zone,
  created_at timestamp(3) with time zone NOT NULL,
  last_seen_at timestamp(3) with time zone NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
CREATE INDEX devices_user_id_idx ON bulwark.devices (user_id);
CREATE TABLE bulwark.account_guards (
  user_id uuid PRIMARY KEY CONSTRAINT account_guards_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  password_failures integer NOT NULL DEFAULT 0,
  password_locked_until timestamp(3) with time zone,
  factor_failures integer NOT NULL DEFAULT 0,
  factor_locked_until timestamp(3) with time zone,
  locked_at timestamp(3) with time zone
);
ALTER TABLE bulwark.one_time_tokens ADD COLUMN user_id uuid
  CONSTRAINT one_time_tokens_user_id_users_id_fk REFERENCES bulwark.users (id) ON DELETE CASCADE;
ALTER TABLE bulwark.one_time_tokens ADD COLUMN data jsonb NOT NULL DEFAULT '{}';
CREATE INDEX one_time_tokens_user_id_purpose_idx ON bulwark.one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_expires_at_idx ON bulwark.one_time_tokens (expires_at);
CREATE TABLE bulwark.totp_credentials (
  user_id uuid PRIMARY KEY CONSTRAINT totp_credentials_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  secret_sealed text NOT NULL,
  last_step bigint NOT NULL DEFAULT 0,
  created_at timestamp(3) with time zone NOT NULL,
  confirmed_at timestamp(3) with time zone
);
CREATE TABLE bulwark.recovery_codes (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT recovery_codes_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  code_hash bytea NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  used_at timestamp(3) with time zone,
  CONSTRAINT recovery_codes_user_id_code_hash_key UNIQUE (user_id, code_hash)
);
CREATE TABLE bulwark.passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT passkeys_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  credential_id text NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
  public_key bytea NOT NULL,
  counter bigint NOT NULL,
  transports jsonb NOT NULL,
  name text NOT NULL,
  backed_up boolean NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  last_used_at timestamp(3) with time zone
);
CREATE INDEX passkeys_user_id_idx ON bulwark.passkeys (user_id);
CREATE TABLE bulwark.identities (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT identities_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  provider text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  last_used_at timestamp(3) with time zone
);
CREATE UNIQUE INDEX identities_issuer_subject_key ON bulwark.identities (issuer, subject);
CREATE INDEX identities_user_id_idx ON bulwark.identities (user_id);
CREATE TABLE bulwark.signing_keys (
  id text PRIMARY KEY,
  algorithm text NOT NULL,
  public_jwk jsonb NOT NULL,
  private_sealed text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  active_at timestamp(3) with time zone NOT NULL,
  retires_at timestamp(3) with time zone
);
CREATE TABLE bulwark.factor_resets (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT factor_resets_user_id_key UNIQUE
    CONSTRAINT factor_resets_user_id_users_id_fk REFERENCES bulwark.users (id) ON DELETE CASCADE,
  requested_by uuid NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  effective_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE bulwark.mail_outbox (
  id uuid PRIMARY KEY,
  sealed text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamp(3) with time zone NOT NULL,
  due_at timestamp(3) with time zone NOT NULL,
  expires_at timestamp(3) with time zone NOT NULL
);
CREATE INDEX mail_outbox_due_at_idx ON bulwark.mail_outbox (due_at);`,
  },
];
