import { sql } from "drizzle-orm";
import { afterEach, expect, test } from "vitest";
import { bulwarkMigrations, type MigrationSet, type Orm } from "../../../src/database/index.ts";
import { migrate } from "../../../src/database/migrate.ts";
import { referenceMigrations } from "../../../src/server/index.ts";
import { testApp } from "../../support/app.ts";

const { bulwark, query } = await testApp();

/** run migrates, and throws what migrate throws, not what the database makes of it. */
async function run(...sets: readonly MigrationSet[]): Promise<void> {
  const failed = await bulwark.database.run((orm: Orm) =>
    migrate(orm, sets).then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  );
  if (failed !== undefined) throw failed.error;
}

/** A set of migrations of this test, by the statements of each. */
const setOf = (name: string, statements: Readonly<Record<string, string>>): MigrationSet => ({
  name,
  migrations: Object.entries(statements).map(([id, statement]) => ({ id, sql: statement })),
});

const ONE = { "0001-a": "CREATE SCHEMA test_one;\nCREATE TABLE test_one.a (id int)" };
const TWO = { ...ONE, "0002-b": "CREATE TABLE test_one.b (id int)" };

afterEach(async () => {
  await query(sql`DROP SCHEMA IF EXISTS test_one CASCADE`);
  await query(sql`DROP SCHEMA IF EXISTS test_two CASCADE`);
  await query(sql`DELETE FROM bulwark.migrations WHERE set_name LIKE 'test%'`);
});

const applied = async (name: string): Promise<unknown[]> =>
  (await query(sql`SELECT id FROM bulwark.migrations WHERE set_name = ${name} ORDER BY id`)).map(
    (row) => row["id"],
  );

const exists = async (table: string): Promise<boolean> => {
  const [row] = await query(sql`SELECT to_regclass(${table}) IS NOT NULL AS found`);
  return row?.["found"] === true;
};

test("what is missing runs, once, in order", async () => {
  await run(setOf("test-one", ONE));
  expect(await applied("test-one")).toEqual(["0001-a"]);
  await run(setOf("test-one", TWO));
  await run(setOf("test-one", TWO));
  expect(await applied("test-one")).toEqual(["0001-a", "0002-b"]);
  expect(await exists("test_one.b")).toBe(true);
});

test("a migration that was changed after it ran is refused, and nothing of the set runs", async () => {
  await run(setOf("test-one", ONE));
  const changed = { ...TWO, "0001-a": `${ONE["0001-a"]} ` };
  await expect(run(setOf("test-one", changed))).rejects.toThrow(
    /migration test-one\/0001-a was changed after it ran: expected checksum [0-9a-f]{64}, came [0-9a-f]{64}/,
  );
  expect(await exists("test_one.b")).toBe(false);
});

test("a database of a newer version is refused by the name of what is unknown", async () => {
  await run(setOf("test-one", TWO));
  await expect(run(setOf("test-one", ONE))).rejects.toThrow(
    "migrated by a newer version: test-one/0002-b is unknown",
  );
});

test.each([
  [
    "an id that is missing",
    [{ name: "test-one", migrations: [{ name: "0001", sql: "SELECT 1" }] }],
    "migrations of test-one[0]: id: expected a text of its own, came undefined",
  ],
  [
    "an id that stands twice",
    [
      setOf("test-one", ONE),
      {
        name: "test-two",
        migrations: [
          { id: "1", sql: "" },
          { id: "1", sql: "" },
        ],
      },
    ],
    'migrations of test-two[1]: id: expected a text of its own, came "1"',
  ],
  [
    "a set that stands twice",
    [setOf("test-one", ONE), setOf("test-one", TWO)],
    'migrations[1]: name: expected a text of its own, came "test-one"',
  ],
  [
    "a statement that is none",
    [{ name: "test-one", migrations: [{ id: "1" }] }],
    "migration test-one/1: sql: expected a text or a list of them",
  ],
])("%s is refused by name before anything runs", async (_, sets, message) => {
  await expect(run(...(sets as readonly MigrationSet[]))).rejects.toThrow(message);
  expect(await applied("test-one")).toEqual([]);
});

test("a migration that fails leaves nothing of the run behind", async () => {
  const failing = { ...TWO, "0003-c": "CREATE TABLE test_one.c (id int);\nSELECT 1 / 0" };
  await expect(run(setOf("test-one", failing))).rejects.toThrow();
  expect(await applied("test-one")).toEqual([]);
  expect(await exists("test_one.a")).toBe(false);
  await run(setOf("test-one", TWO));
  expect(await applied("test-one")).toEqual(["0001-a", "0002-b"]);
});

test("two sets may have the same ids, and know nothing of each other", async () => {
  const other = { "0001-a": "CREATE SCHEMA test_two;\nCREATE TABLE test_two.a (id int)" };
  await run(setOf("test-one", ONE), setOf("test-two", other));
  expect(await applied("test-one")).toEqual(["0001-a"]);
  expect(await applied("test-two")).toEqual(["0001-a"]);
  await run(setOf("test-two", other));
  const failing = { ...other, "0002-b": "SELECT 1 / 0" };
  await expect(run(setOf("test-one", TWO), setOf("test-two", failing))).rejects.toThrow();
  expect(await applied("test-one")).toEqual(["0001-a"]);
});

test("runs at the same time are one run", async () => {
  await Promise.all(Array.from({ length: 10 }, () => run(setOf("test-one", TWO))));
  expect(await applied("test-one")).toEqual(["0001-a", "0002-b"]);
});

test("our own sets are done, and done again they change nothing", async () => {
  const before = await query(sql`SELECT * FROM bulwark.migrations ORDER BY set_name, id`);
  expect(new Set(before.map((row) => row["set_name"]))).toEqual(new Set(["bulwark", "reference"]));
  await run(bulwarkMigrations, ...referenceMigrations);
  expect(await query(sql`SELECT * FROM bulwark.migrations ORDER BY set_name, id`)).toEqual(before);
});

test.each([bulwarkMigrations, ...referenceMigrations])(
  "the ids of $name are sorted, and each once",
  ({ migrations }) => {
    const ids = migrations.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    for (const id of ids) expect(id).toMatch(/^\d{4}-[a-z-]+$/);
  },
);
