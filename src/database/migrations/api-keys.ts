import type { Migration } from "../migrate.ts";

/** The tables of tables/api-keys.ts. */
export const apiKeyMigrations: readonly Migration[] = [
  {
    id: "0005-api-keys",
    sql: `
CREATE TABLE bulwark.api_keys (
  id uuid PRIMARY KEY,
  user_id uuid CONSTRAINT api_keys_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  tenant_id uuid CONSTRAINT api_keys_tenant_id_tenants_id_fk
    REFERENCES bulwark.tenants (id) ON DELETE CASCADE,
  name text NOT NULL,
  environment text NOT NULL,
  secret_hash bytea NOT NULL,
  scopes text[] NOT NULL,
  allowed_addresses text[],
  limits jsonb NOT NULL,
  monthly_quota bigint,
  quota_month date,
  quota_used bigint NOT NULL DEFAULT 0,
  quota_lease bigint NOT NULL DEFAULT 0,
  created_at timestamp(3) with time zone NOT NULL,
  created_by uuid,
  expires_at timestamp(3) with time zone NOT NULL,
  disabled_at timestamp(3) with time zone,
  last_used_at timestamp(3) with time zone,
  successor_id uuid,
  CONSTRAINT api_keys_owner CHECK (user_id IS NOT NULL OR tenant_id IS NOT NULL)
);
CREATE INDEX api_keys_user_id_idx ON bulwark.api_keys (user_id);
CREATE INDEX api_keys_tenant_id_idx ON bulwark.api_keys (tenant_id);
CREATE INDEX api_keys_expires_at_idx ON bulwark.api_keys (expires_at);
CREATE TABLE bulwark.api_key_usage (
  id uuid PRIMARY KEY,
  key_id uuid NOT NULL CONSTRAINT api_key_usage_key_id_api_keys_id_fk
    REFERENCES bulwark.api_keys (id) ON DELETE CASCADE,
  day date NOT NULL,
  requests bigint NOT NULL
);
CREATE UNIQUE INDEX api_key_usage_key_id_day_key ON bulwark.api_key_usage (key_id, day);
CREATE INDEX api_key_usage_day_idx ON bulwark.api_key_usage (day);`,
  },
];
