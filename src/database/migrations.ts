import type { MigrationSet } from "./migrate.ts";

/** bulwarkMigrations make the tables of tables/. A migration that was released is never changed; another one follows it. */
export const bulwarkMigrations: MigrationSet = {
  name: "bulwark",
  migrations: [
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
  ],
};
