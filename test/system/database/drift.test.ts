import { pushSchema } from "drizzle-kit/api";
import { expect, test } from "vitest";
import { auditEvents, oneTimeTokens, sessions, users } from "../../../src/database/index.ts";
import { bulwarkSchema } from "../../../src/database/tables/schema.ts";
import { products, referenceSchema } from "../../../src/server/products/table.ts";
import { testApp } from "../../support/app.ts";

/** What a migration knows and no table of drizzle's says. */
const IGNORED = [/^CREATE SCHEMA/, /bulwark"?\."?migrations"?/];

test("the migrations make exactly the tables that the code reads", async () => {
  const { bulwark } = await testApp();
  const tables = {
    bulwarkSchema,
    referenceSchema,
    users,
    sessions,
    oneTimeTokens,
    auditEvents,
    products,
  };
  const { statementsToExecute } = await bulwark.database.run(async (orm) =>
    pushSchema(tables, orm as never, ["bulwark", "reference"]),
  );
  const drift = statementsToExecute.filter((one) => !IGNORED.some((known) => known.test(one)));
  expect(drift).toEqual([]);
});
