import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  integer,
  numeric,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createQueryBuilder, type QueryBuilder } from "../../../src/database/index.ts";
import { testApp } from "../../support/app.ts";

const schema = pgSchema("query_test");
const things = schema.table("things", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  note: text("note"),
  amount: integer("amount").notNull(),
  price: numeric("price", { mode: "number" }).notNull(),
  large: bigint("large", { mode: "bigint" }).notNull(),
  isOn: boolean("is_on").notNull(),
  /** With microseconds, as PostgreSQL's now() has them, and a Date has not. */
  madeAt: timestamp("made_at", { withTimezone: true }).notNull(),
});
const pairs = schema.table("pairs", { left: integer("left"), right: integer("right") }, (table) => [
  primaryKey({ columns: [table.left, table.right] }),
]);
const keyless = schema.table("keyless", { amount: integer("amount").notNull() });

const STATEMENTS = [
  "DROP SCHEMA IF EXISTS query_test CASCADE",
  "CREATE SCHEMA query_test",
  `CREATE TABLE query_test.things (id uuid PRIMARY KEY, name text NOT NULL, note text, amount int NOT NULL,
    price numeric NOT NULL, large bigint NOT NULL, is_on boolean NOT NULL, made_at timestamptz NOT NULL)`,
  `INSERT INTO query_test.things SELECT ('01a20cea-0000-7000-8000-00000000010' || i)::uuid, repeat('n', 3000) || i,
    CASE WHEN i % 2 = 1 THEN 'x' || i END, i / 2, i / 3.0, 9007199254740990 + i, i % 2 = 0,
    '2027-01-01 00:00:00.123Z'::timestamptz + i * interval '1 microsecond' FROM generate_series(0, 9) i`,
  'CREATE TABLE query_test.pairs ("left" int, "right" int, PRIMARY KEY ("left", "right"))',
  "INSERT INTO query_test.pairs SELECT i / 5, i % 5 FROM generate_series(0, 9) i",
  "CREATE TABLE query_test.keyless (amount int NOT NULL)",
];

const { bulwark } = await testApp();
const { database } = bulwark;
const run = (statement: string): Promise<unknown> =>
  database.run((orm) => orm.execute(sql.raw(statement)));
const query = (): QueryBuilder<typeof things> => createQueryBuilder(things, { database });
const cursor = (...values: readonly unknown[]): string =>
  Buffer.from(JSON.stringify(values)).toString("base64url");
const ID = "01a20cea-0000-7000-8000-000000000100";

beforeAll(async () => {
  for (const statement of STATEMENTS) await run(statement);
});
afterAll(() => run("DROP SCHEMA query_test CASCADE"));

/** Every page behind the other, and no more than there can be. */
async function walk<Row>(
  page: (after: string | undefined) => Promise<{ data: readonly Row[]; next: string | undefined }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let after: string | undefined;
  do {
    const { data, next } = await page(after);
    rows.push(...data);
    after = next;
  } while (after !== undefined && rows.length < 50);
  return rows;
}

describe("keyset pages show every row once", () => {
  const names = ["id", "name", "amount", "price", "large", "isOn", "madeAt"];
  test.each(names.flatMap((name) => [name, `-${name}`]))("%s", async (by) => {
    const ordered = query().orderBy(by);
    const all = await ordered.execute();
    for (const limit of [1, 3, 10]) {
      expect(await walk((after) => ordered.executeKeyset({ limit, after }))).toEqual(all);
    }
  });

  test("of several orders that go different ways", async () => {
    const ordered = query().orderBy("isOn").orderBy("-amount").orderBy("madeAt").select("id");
    const all = await ordered.execute();
    expect(await walk((after) => ordered.executeKeyset({ limit: 2, after }))).toEqual(all);
  });

  test("of a table whose primary key has two columns", async () => {
    const ordered = createQueryBuilder(pairs, { database }).orderBy("right");
    const all = await ordered.execute();
    expect(all).toHaveLength(10);
    expect(await walk((after) => ordered.executeKeyset({ limit: 1, after }))).toEqual(all);
  });

  test("and a table without a primary key has none", async () => {
    const unkeyed = createQueryBuilder(keyless, { database }).orderBy("amount");
    await expect(unkeyed.executeKeyset({ limit: 1 })).rejects.toThrow(TypeError);
  });
});

describe("a value that is none of its column's type is refused as the input that it is", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["a NUL to search for", () => query().search("a\0b", [things.name]).execute()],
    ["a NUL in whereLike", () => query().whereLike(things.name, "\0").count()],
    ["a text that is no UUID", () => query().where(things.id, "nope").first()],
    ["a number that is no integer", () => query().where(things.amount, 1.5).first()],
    ["a number out of range", () => query().whereIn(things.amount, [3e9]).exists()],
    ["a date that is none", async () => query().whereGte(things.madeAt, new Date("x")).execute()],
    ["a filter by a text for a date", async () => query().filter({ madeAt: "x" }).execute()],
    ["a filter by a text for a number", () => query().filter({ price: "x" }).execute()],
    ["a filter by a text for a boolean", () => query().filter({ isOn: "x" }).execute()],
    ["a list of too many", async () => query().whereIn(things.amount, Array(70_000).fill(1))],
    ["a page beyond every row", async () => query().paginate({ page: 2 ** 53 - 1, limit: 100 })],
    ...[
      ["name", "\0"],
      ["amount", "1e300"],
      ["madeAt", "+275760-09-13T00:00:00.000Z"],
      ["price", "x"],
      ["isOn", "x"],
      ["isOn", true],
      ["name", null],
    ].map<[string, () => Promise<unknown>]>(([by, value]) => [
      `a forged cursor: ${by} ${JSON.stringify(value)}`,
      () =>
        query()
          .orderBy(String(by))
          .executeKeyset({ limit: 1, after: cursor(`${by},id`, value, ID) }),
    ]),
  ])("%s", async (_name, ask) => {
    await expect(ask()).rejects.toMatchObject({ code: "VALIDATION_ERROR", statusCode: 400 });
  });
});

describe("conditions", () => {
  test("raw SQL with an or in it widens neither a scope nor another condition", async () => {
    const raw = sql`${things.amount} = 2 OR true`;
    const scoped = createQueryBuilder(things, { database, scope: sql`${things.amount} = 1` });
    expect(await scoped.where(raw).count()).toBe(2);
    const wide = createQueryBuilder(things, { database, scope: raw });
    expect(await wide.where(things.amount, 1).count()).toBe(2);
  });

  test("whereNot keeps rows that have no value", async () => {
    expect(await query().whereNot(things.note, "x1").count()).toBe(9);
  });

  test("a list may ask for null", async () => {
    expect(
      await query()
        .filter({ note: [null, "x1"] })
        .count(),
    ).toBe(6);
  });

  test("a column that is not there asks for nothing that anyone meant", () => {
    const { nope } = things as unknown as { nope: typeof things.name };
    expect(() => query().where(nope, "x")).toThrow(TypeError);
  });

  test("a page begins where it was told to", async () => {
    const { data, pagination } = await query().limit(2).offset(4).executePaginated();
    expect(data.map(({ amount }) => amount)).toEqual([2, 2]);
    expect(pagination).toMatchObject({ page: 3, hasPrev: true });
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%s is no largest page", (max) => {
    expect(() => createQueryBuilder(things, { database, maxLimit: max })).toThrow(TypeError);
  });
});
