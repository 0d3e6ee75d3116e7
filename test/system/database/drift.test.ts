import { pushSchema } from "drizzle-kit/api";
import { is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { expect, test } from "vitest";
import * as database from "../../../src/database/index.ts";
import { bulwarkSchema } from "../../../src/database/tables/schema.ts";
import { products, referenceSchema } from "../../../src/server/products/table.ts";
import { testApp } from "../../support/app.ts";

/** What a migration knows and no table of drizzle's says. */
const IGNORED = [/^CREATE SCHEMA/, /bulwark"?\."?migrations"?/];

test("the migrations make exactly the tables that the code reads", async () => {
  const { bulwark } = await testApp();
  const ours = Object.entries(database).filter(([, value]) => is(value, PgTable));
  const tables = { bulwarkSchema, referenceSchema, products, ...Object.fromEntries(ours) };
  expect(ours.length).toBeGreaterThan(10);
  const { statementsToExecute } = await bulwark.database.run(async (orm) =>
    pushSchema(tables, orm as never, ["bulwark", "reference"]),
  );
  const drift = statementsToExecute.filter((one) => !IGNORED.some((known) => known.test(one)));
  expect(drift).toEqual([]);
});
