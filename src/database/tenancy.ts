import { eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Principal } from "../core/index.ts";
import type { Orm } from "./orm.ts";

/** Whose rows a query is for: the request's context, or a part of it. */
export interface TenantContext {
  readonly principal?: Principal | undefined;
}

/** Which rows of a table a query may see, when each row belongs to a tenant. */
export interface TenantScope {
  readonly condition: SQL;
  readonly tenantId: string | undefined;
}

/** The setting by which row-level security knows the tenant, and the role that it always binds. */
const SETTING = "bulwark.tenant_id";
const ROLE = "bulwark_tenant";
/** What the setting says where every tenant is meant; no UUID is written so. */
export const EVERY = "*";

const tenantColumnOf = (table: PgTable): PgColumn | undefined => {
  const columns = getTableColumns(table) as Readonly<Record<string, PgColumn>>;
  return Object.hasOwn(columns, "tenantId") ? columns["tenantId"] : undefined;
};

/**
 * tenantScopeOf says what a query on a table is confined to: undefined where the table has no column `tenantId`. A principal
 * without a tenant sees no row of such a table. Throws a TypeError only if the table has that column and no context is given.
 */
export function tenantScopeOf(
  table: PgTable,
  context: TenantContext | undefined,
): TenantScope | undefined {
  const column = tenantColumnOf(table);
  if (column === undefined) return undefined;
  if (context === undefined) {
    throw new TypeError(
      "createQueryBuilder: expected the context of a request for a table with tenantId, or insecureAcrossTenants, came neither",
    );
  }
  const tenantId = context.principal?.tenantId;
  return { condition: tenantId === undefined ? sql`false` : eq(column, tenantId), tenantId };
}

/** isTenantTable tells whether the rows of a table belong to tenants: it has a column `tenantId`. */
export const isTenantTable = (table: PgTable): boolean => tenantColumnOf(table) !== undefined;

/** bindTenant confines what is left of a transaction to one tenant's rows, or none's, or opens it to those of {@link EVERY} one. */
export async function bindTenant(
  tx: Orm,
  tenant: string | undefined,
  bypasses: boolean,
): Promise<void> {
  const value = tenant ?? "";
  // A superuser is bound by no policy, and so puts its rights down first.
  const role = bypasses && tenant !== EVERY ? sql`, set_config('role', ${ROLE}, true)` : sql``;
  await tx.execute(sql`SELECT set_config(${SETTING}, ${value}, true)${role}`);
}

/** bypassesPolicies tells whether the user of a connection is bound by no row-level security unless it changes its role. */
export async function bypassesPolicies(orm: Orm): Promise<boolean> {
  const result = await orm.execute(
    sql`SELECT rolsuper OR rolbypassrls AS bypasses FROM pg_roles WHERE rolname = current_user`,
  );
  const { rows } = result as unknown as { rows: { bypasses: boolean }[] };
  return rows[0]?.bypasses !== false;
}

const NAME = /^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/;

/**
 * tenantPolicy returns the statements that put row-level security on a table with a column `tenant_id`, for a migration: whatever
 * a query forgets, it reads and writes rows of its own tenant alone, and none outside of {@link Database.inTenant}.
 * `table` is the name with its schema, such as `app.notes`. Throws a TypeError only if it is not.
 */
export function tenantPolicy(table: string): readonly string[] {
  if (!NAME.test(table)) {
    throw new TypeError(`tenantPolicy: expected a table such as "app.notes", came ${table}`);
  }
  const [schema = ""] = table.split(".");
  const isOwn = `tenant_id::text = current_setting('${SETTING}', true) OR current_setting('${SETTING}', true) = '${EVERY}'`;
  return [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    // Its owner, as whom an application mostly connects, would be bound by none otherwise.
    `ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant_isolation ON ${table} USING (${isOwn}) WITH CHECK (${isOwn})`,
    whereRoleIs(`
      GRANT USAGE ON SCHEMA ${schema} TO ${ROLE};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${ROLE};`),
  ];
}

/** The role is made where the connection needs it, and may be there already: roles belong to all databases of a server. */
export const tenantRoleStatements: readonly string[] = [
  `DO $body$ BEGIN
    IF (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) THEN
      CREATE ROLE ${ROLE} NOLOGIN NOBYPASSRLS;
    END IF;
  EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
  END $body$`,
  whereRoleIs(`
    GRANT USAGE ON SCHEMA bulwark TO ${ROLE};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bulwark TO ${ROLE};
    ALTER DEFAULT PRIVILEGES IN SCHEMA bulwark GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${ROLE};`),
];

function whereRoleIs(statements: string): string {
  return `DO $body$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${ROLE}') THEN${statements}
    END IF;
  END $body$`;
}
