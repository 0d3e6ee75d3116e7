import { sql } from "drizzle-orm";
import { pgSchema, text, timestamp, uuid } from "drizzle-orm/pg-core";
import type { Bulwark } from "../../../src/bulwark/index.ts";
import { BaseCRUDService, tenantPolicy } from "../../../src/database/index.ts";

/** A table of an application whose rows belong to tenants. */
export const notes = pgSchema("tenants_test").table("notes", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull(),
  text: text("text").notNull(),
  createdAt: timestamp("created_at", { withTimezone: true, mode: "date", precision: 3 }).notNull(),
});

/** Another one, without row-level security: what confines it is the query alone. */
export const bareNotes = pgSchema("tenants_test").table("bare_notes", {
  id: uuid("id").primaryKey(),
  tenantId: uuid("tenant_id").notNull(),
  text: text("text").notNull(),
});

const STATEMENTS = [
  "DROP SCHEMA IF EXISTS tenants_test CASCADE",
  "CREATE SCHEMA tenants_test",
  `CREATE TABLE tenants_test.notes (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    text text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL
  )`,
  ...tenantPolicy("tenants_test.notes"),
  "CREATE TABLE tenants_test.bare_notes (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, text text NOT NULL)",
  // For inTenant, which puts down a superuser's rights.
  `DO $body$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'bulwark_tenant') THEN
      GRANT ALL ON tenants_test.bare_notes TO bulwark_tenant;
    END IF;
  END $body$`,
];

export async function makeNotes({ database }: Bulwark): Promise<void> {
  for (const statement of STATEMENTS) await database.run((orm) => orm.execute(sql.raw(statement)));
}

export const dropNotes = ({ database }: Bulwark): Promise<unknown> =>
  database.run((orm) => orm.execute(sql`DROP SCHEMA IF EXISTS tenants_test CASCADE`));

export class NoteService extends BaseCRUDService<typeof notes, { text: string }> {
  constructor(bulwark: Bulwark) {
    super({ ...bulwark, table: notes, resource: "note" });
  }
}

export class BareNoteService extends BaseCRUDService<typeof bareNotes, { text: string }> {
  constructor(bulwark: Bulwark) {
    super({ ...bulwark, table: bareNotes, resource: "note" });
  }
}

export const TENANTS = {
  a: "01a20cea-0000-7000-8000-00000000000a",
  b: "01a20cea-0000-7000-8000-00000000000b",
} as const;

/** makeTenants adds the tenants, so that people can become members. */
export async function makeTenants({ database, clock }: Bulwark): Promise<void> {
  const now = new Date(clock.now()).toISOString();
  for (const [name, id] of Object.entries(TENANTS)) {
    await database.run((orm) =>
      orm.execute(
        sql`INSERT INTO bulwark.tenants (id, name, created_at) VALUES (${id}, ${name}, ${now}::timestamptz)`,
      ),
    );
  }
}
