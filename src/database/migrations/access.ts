import type { Migration } from "../migrate.ts";
import { tenantRoleStatements } from "../tenancy.ts";

/** The tables of tables/access.ts. */
export const accessMigrations: readonly Migration[] = [
  {
    id: "0004-access",
    sql: `
CREATE TABLE bulwark.tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE bulwark.memberships (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL CONSTRAINT memberships_tenant_id_tenants_id_fk
    REFERENCES bulwark.tenants (id) ON DELETE CASCADE,
  user_id uuid NOT NULL CONSTRAINT memberships_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  created_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX memberships_tenant_id_user_id_key ON bulwark.memberships (tenant_id, user_id);
CREATE INDEX memberships_user_id_idx ON bulwark.memberships (user_id);
CREATE TABLE bulwark.roles (
  id uuid PRIMARY KEY,
  tenant_id uuid CONSTRAINT roles_tenant_id_tenants_id_fk
    REFERENCES bulwark.tenants (id) ON DELETE CASCADE,
  name text NOT NULL,
  description text,
  permissions text[] NOT NULL,
  created_at timestamp(3) with time zone NOT NULL,
  updated_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX roles_tenant_id_name_key ON bulwark.roles (tenant_id, name);
CREATE UNIQUE INDEX roles_name_key ON bulwark.roles (name) WHERE tenant_id IS NULL;
CREATE TABLE bulwark.role_assignments (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL CONSTRAINT role_assignments_user_id_users_id_fk
    REFERENCES bulwark.users (id) ON DELETE CASCADE,
  role text NOT NULL,
  tenant_id uuid CONSTRAINT role_assignments_tenant_id_tenants_id_fk
    REFERENCES bulwark.tenants (id) ON DELETE CASCADE,
  expires_at timestamp(3) with time zone,
  granted_by uuid,
  created_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX role_assignments_user_id_role_tenant_id_key ON bulwark.role_assignments (user_id, role, tenant_id);
CREATE UNIQUE INDEX role_assignments_user_id_role_key ON bulwark.role_assignments (user_id, role) WHERE tenant_id IS NULL;
ALTER TABLE bulwark.sessions ADD COLUMN tenant_id uuid CONSTRAINT sessions_tenant_id_tenants_id_fk
  REFERENCES bulwark.tenants (id) ON DELETE CASCADE;`,
  },
  { id: "0004-tenant-role", sql: tenantRoleStatements },
];
