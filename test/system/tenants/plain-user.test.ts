import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bulwarkMigrations, createDatabase, tenantPolicy } from "../../../src/database/index.ts";
import { postgresDriver } from "../../../src/database/postgres.ts";
import { freshDatabase } from "../../support/services.ts";
import { notes, TENANTS } from "./support.ts";

const url = await freshDatabase();

/** Mostly an application connects as a user that owns its tables and is no superuser. */
async function ownedByPlainUser(admin: string): Promise<string> {
  const name = `plain_${randomBytes(6).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  const database = new URL(admin).pathname.slice(1);
  await client.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  await client.query(`ALTER DATABASE "${database}" OWNER TO ${name}`);
  await client.end();
  const own = new URL(admin);
  own.username = name;
  own.password = password;
  return own.href;
}

describe.skipIf(url === undefined)("for a user that is no superuser", async () => {
  if (url === undefined) return;
  const database = createDatabase(postgresDriver({ url: await ownedByPlainUser(url) }));
  beforeAll(() =>
    database.connect([
      bulwarkMigrations,
      {
        name: "notes",
        migrations: [
          {
            id: "0001-notes",
            sql: [
              "CREATE SCHEMA tenants_test",
              "CREATE TABLE tenants_test.notes (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, text text NOT NULL, created_at timestamptz NOT NULL)",
              ...tenantPolicy("tenants_test.notes"),
            ],
          },
        ],
      },
    ]),
  );
  afterAll(() => database.close());

  test("tenants are kept apart, and outside of any no row is there", async () => {
    await database.insecureAcrossTenants((tx) =>
      tx.insert(notes).values(
        Object.values(TENANTS).map((tenantId) => ({
          id: tenantId,
          tenantId,
          text: "x",
          createdAt: new Date(),
        })),
      ),
    );
    const seen = (tenantId: string | undefined): Promise<unknown[]> =>
      database.inTenant(tenantId, async (tx) =>
        (await tx.select().from(notes)).map((row) => row.tenantId),
      );
    expect(await seen(TENANTS.a)).toEqual([TENANTS.a]);
    expect(await seen(TENANTS.b)).toEqual([TENANTS.b]);
    expect(await seen(undefined)).toEqual([]);
    // A statement that knows of no tenant finds nothing, though the user owns the table.
    expect(await database.run((orm) => orm.select().from(notes))).toEqual([]);
    const deleted = await database.run((orm) => orm.delete(notes).returning());
    expect(deleted).toEqual([]);
    const count = await database.insecureAcrossTenants((tx) =>
      tx.execute(sql`SELECT count(*)::int AS n FROM tenants_test.notes`),
    );
    expect((count as unknown as { rows: unknown[] }).rows).toEqual([{ n: 2 }]);
  });
});
