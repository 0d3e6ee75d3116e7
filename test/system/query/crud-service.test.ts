import { type SQL, sql } from "drizzle-orm";
import { integer, pgSchema, text, uuid } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RequestContext } from "../../../src/core/index.ts";
import { BaseCRUDService, type OrmTransaction } from "../../../src/database/index.ts";
import { testApp } from "../../support/app.ts";

const parts = pgSchema("crud_test").table("parts", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  amount: integer("amount"),
  whole: uuid("whole"),
});

const STATEMENTS = [
  "DROP SCHEMA IF EXISTS crud_test CASCADE",
  "CREATE SCHEMA crud_test",
  `CREATE TABLE crud_test.parts (id uuid PRIMARY KEY, name text NOT NULL UNIQUE, amount int,
    whole uuid REFERENCES crud_test.parts (id))`,
];

const { bulwark, query, reset } = await testApp();
const userId = "01a20cea-0000-7000-8000-0000000000ff";
const context = { userId, roles: ["user"] } as unknown as RequestContext<true>;

interface Part {
  readonly name: string;
  readonly amount?: number | undefined;
  readonly whole?: string | undefined;
}

type AfterCreate = (tx: OrmTransaction) => Promise<unknown>;

class PartService extends BaseCRUDService<typeof parts, Part> {
  readonly #after: AfterCreate;
  readonly #scope: SQL | undefined;

  constructor(after: AfterCreate = async () => {}, scope?: SQL) {
    super({ ...bulwark, table: parts, resource: "part" });
    this.#after = after;
    this.#scope = scope;
  }

  event(tx: OrmTransaction): Promise<void> {
    return this.recordEvent("part.counted", "Counted.", {}, { tx });
  }

  protected override scope(): SQL | undefined {
    return this.#scope;
  }

  protected override async afterCreate(
    _row: unknown,
    _context: RequestContext<true>,
    tx: OrmTransaction,
  ): Promise<void> {
    await this.#after(tx);
  }
}

const service = new PartService();
const names = async (): Promise<unknown[]> =>
  (await query(sql`SELECT name FROM crud_test.parts ORDER BY name`)).map((row) => row["name"]);
const events = async (): Promise<unknown[]> =>
  (await query(sql`SELECT type FROM bulwark.audit_events WHERE type LIKE 'part.%'`)).map(
    (row) => row["type"],
  );

beforeAll(async () => {
  for (const statement of STATEMENTS) await query(sql.raw(statement));
});
afterAll(() => query(sql`DROP SCHEMA crud_test CASCADE`));
beforeEach(async () => {
  await query(sql`DELETE FROM crud_test.parts`);
  await reset();
});

describe("what the table refuses of an input is the input's fault, and nothing is left of it", () => {
  test.each<[string, Part, object]>([
    ["a name that is there", { name: "first" }, { code: "CONFLICT", statusCode: 409 }],
    ["a row that is not", { name: "b", whole: userId }, { code: "CONFLICT" }],
    ["a NUL", { name: "a\0b" }, { code: "VALIDATION_ERROR", statusCode: 400 }],
    ["a number out of range", { name: "b", amount: 3e9 }, { code: "VALIDATION_ERROR" }],
    ["a text for a number", { name: "b", amount: "x" as never }, { code: "VALIDATION_ERROR" }],
  ])("%s", async (_name, input, refusal) => {
    await service.create({ name: "first" }, context);
    const { id } = await service.create({ name: "second" }, context);
    await expect(service.create(input, context)).rejects.toMatchObject(refusal);
    await expect(service.update(id, input, context)).rejects.toMatchObject(refusal);
    expect(await names()).toEqual(["first", "second"]);
    expect(await events()).toEqual(["part.create", "part.create"]);
  });

  test("a row that others refer to", async () => {
    const { id } = await service.create({ name: "first" }, context);
    await service.create({ name: "second", whole: id }, context);
    await expect(service.delete(id, context)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("of ten who make the same row at once, one does", async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 10 }, () => service.create({ name: "same" }, context)),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of made) {
      if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "CONFLICT" });
    }
    expect(await events()).toEqual(["part.create"]);
  });
});

describe("a change", () => {
  test.each([{}, { name: undefined }, { unknown: 1 }, { id: userId }])(
    "of nothing leaves the row as it is: %j",
    async (input) => {
      const row = await service.create({ name: "first" }, context);
      expect(await service.update(row.id, input as Partial<Part>, context)).toEqual(row);
    },
  );

  test("under a scope of raw SQL with an or in it touches the row that was named alone", async () => {
    const wide = new PartService(undefined, sql`amount = 1 OR true`);
    const first = await wide.create({ name: "first" }, context);
    await wide.create({ name: "second" }, context);
    expect((await wide.update(first.id, { amount: 5 }, context)).amount).toBe(5);
    expect(await query(sql`SELECT name FROM crud_test.parts WHERE amount = 5`)).toHaveLength(1);
    await wide.delete(first.id, context);
    expect(await names()).toEqual(["second"]);
  });

  test("whose hook throws leaves neither a row nor an event", async () => {
    const failing: PartService = new PartService(async (tx) => {
      await failing.event(tx);
      throw new Error("no");
    });
    await expect(failing.create({ name: "first" }, context)).rejects.toMatchObject({
      statusCode: 500,
    });
    expect(await names()).toEqual([]);
    expect(await events()).toEqual([]);
  });

  test("never waits for a statement that waits for it", async () => {
    const beside = new PartService(() => bulwark.database.run((orm) => orm.execute(sql`SELECT 1`)));
    const made = beside.create({ name: "first" }, context);
    // PGlite has one connection; of PostgreSQL's the statement takes another.
    if (bulwark.database.exclusive) await expect(made).rejects.toThrow(/expected its tx/);
    else await expect(made).resolves.toBeDefined();
  });
});
