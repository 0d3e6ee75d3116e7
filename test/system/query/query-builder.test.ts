import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, test } from "vitest";
import type { RequestContext } from "../../../src/core/index.ts";
import type { QueryBuilder } from "../../../src/database/index.ts";
import { products } from "../../../src/server/products/table.ts";
import { type TestApp, testApp } from "../../support/app.ts";

const context = {} as RequestContext;
const OWNER = "01a20cea-0000-7000-8000-000000000001";
const NAMES = [
  "50% off",
  "50 off",
  "under_score",
  "underXscore",
  "back\\slash",
  "Lamp",
  "lamp two",
];

let app: TestApp;
const query = (): QueryBuilder<typeof products> =>
  app.bulwark.createQueryBuilder(products, context);
const named = (rows: readonly { readonly name: string }[]): string[] =>
  rows.map(({ name }) => name).sort();

beforeAll(async () => {
  app = await testApp();
  await app.reset();
  await app.bulwark.database.run((orm) =>
    orm.insert(products).values(
      NAMES.map((name, index) => ({
        id: `01a20cea-0000-7000-8000-0000000001${String(index).padStart(2, "0")}`,
        ownerId: OWNER,
        name,
        description: index % 2 === 0 ? null : `about ${name}`,
        price: index,
        category: index < 4 ? "first" : "second",
        // Two rows share a moment, so that the key has to decide between them.
        createdAt: new Date(Date.UTC(2027, 0, 1 + Math.floor(index / 2))),
        updatedAt: new Date(Date.UTC(2027, 0, 1)),
      })),
    ),
  );
});

describe("text stands for itself", () => {
  test.each([
    ["50%", ["50% off"]],
    ["%50%%", ["50% off"]],
    ["_", ["under_score"]],
    ["r_s", ["under_score"]],
    ["\\", ["back\\slash"]],
    ["LAMP", ["Lamp", "lamp two"]],
    ["%lamp%", ["Lamp", "lamp two"]],
    ["'; DROP TABLE reference.products; --", []],
    ["%", ["50% off"]],
  ])("whereLike %j", async (text, expected) => {
    expect(named(await query().whereLike(products.name, text).execute())).toEqual(expected);
  });

  test("search looks into every column that it is given", async () => {
    const rows = await query().search("about", [products.name, products.description]).execute();
    expect(rows).toHaveLength(3);
    expect(await query().search("", [products.name]).count()).toBe(NAMES.length);
    expect(await query().search(undefined, [products.name]).count()).toBe(NAMES.length);
    expect(() => query().search("x", [])).toThrow(TypeError);
  });
});

describe("conditions", () => {
  test.each<[string, (q: QueryBuilder<typeof products>) => QueryBuilder<typeof products>, number]>([
    ["where", (q) => q.where(products.category, "first"), 4],
    ["where null", (q) => q.where(products.description, null), 4],
    ["where a condition of drizzle's", (q) => q.where(sql`${products.price} > 4`), 2],
    ["whereNot", (q) => q.whereNot(products.category, "first"), 3],
    ["whereNot null", (q) => q.whereNot(products.description, null), 3],
    ["whereIn", (q) => q.whereIn(products.price, [1, 2, 99]), 2],
    ["whereIn nothing", (q) => q.whereIn(products.price, []), 0],
    ["whereGte", (q) => q.whereGte(products.price, 5), 2],
    ["whereLte", (q) => q.whereLte(products.price, 1), 2],
    ["filter", (q) => q.filter({ category: "second", name: undefined }), 3],
    ["filter with a list", (q) => q.filter({ price: [0, 1, 2] }), 3],
    ["filter with null", (q) => q.filter({ description: null }), 4],
    ["two of them", (q) => q.where(products.category, "first").whereGte(products.price, 2), 2],
  ])("%s", async (_name, build, expected) => {
    expect(await build(query()).count()).toBe(expected);
    expect(await build(query()).exists()).toBe(expected > 0);
  });

  test("a value that is not there asks for nothing that anyone meant", () => {
    expect(() => query().where(products.name, undefined as unknown as string)).toThrow(TypeError);
  });

  test.each(["nope", "__proto__", "constructor", "toString", "name; DROP TABLE x"])(
    "%j is no column, to filter or to sort by",
    (name) => {
      const filter = Object.fromEntries([[name, "x"]]) as Record<string, unknown>;
      const refusal = expect.objectContaining({ code: "VALIDATION_ERROR", statusCode: 400 });
      expect(() => query().filter(filter)).toThrow(refusal);
      expect(() => query().orderBy(name)).toThrow(refusal);
    },
  );

  test("a builder is never changed by what is built on it", async () => {
    const base = query().where(products.category, "first");
    base.where(products.price, 0);
    expect(await base.count()).toBe(4);
  });
});

describe("rows", () => {
  test("select narrows them", async () => {
    const [row] = await query().select("name", "price").orderBy("price").execute();
    expect(row).toEqual({ name: "50% off", price: 0 });
  });

  test("first, order both ways, limit and offset", async () => {
    expect((await query().orderBy("-price").first())?.price).toBe(6);
    expect((await query().orderBy(products.price, "desc").first())?.price).toBe(6);
    expect(await query().where(products.name, "none").first()).toBeUndefined();
    const rows = await query().orderBy("price").limit(2).offset(3).execute();
    expect(rows.map(({ price }) => price)).toEqual([3, 4]);
  });

  test("a page says where it stands", async () => {
    const page = await query().orderBy("price").executePaginated({ page: 2, limit: 3 });
    expect(page.data.map(({ price }) => price)).toEqual([3, 4, 5]);
    expect(page.pagination).toEqual({
      page: 2,
      limit: 3,
      total: 7,
      totalPages: 3,
      hasNext: true,
      hasPrev: true,
    });
  });

  test("a page is never larger than the largest, and numbers out of range are refused", async () => {
    const small = app.bulwark.createQueryBuilder(products, context, { maxLimit: 2 });
    expect(await small.execute()).toHaveLength(2);
    expect(await small.limit(1_000).execute()).toHaveLength(2);
    expect((await small.executePaginated({ page: 1, limit: 1_000 })).data).toHaveLength(2);
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => query().limit(wrong)).toThrow(expect.objectContaining({ statusCode: 400 }));
    }
  });

  test("a scope stands in every statement", async () => {
    const scope = sql`${products.category} = 'second'`;
    const scoped = app.bulwark.createQueryBuilder(products, context, { scope });
    expect(await scoped.count()).toBe(3);
    expect(await scoped.where(products.category, "first").exists()).toBe(false);
  });
});

describe("keyset pages", () => {
  const walk = async (order: string, limit: number): Promise<string[]> => {
    const names: string[] = [];
    let after: string | undefined;
    do {
      const page = await query().orderBy(order).select("name").executeKeyset({ limit, after });
      names.push(...page.data.map(({ name }) => name));
      after = page.next;
    } while (after !== undefined && names.length < 100);
    return names;
  };

  test.each(["createdAt", "-createdAt", "price", "-name"])(
    "%s shows every row once",
    async (by) => {
      const all = await query().orderBy(by).select("name").execute();
      for (const limit of [1, 2, 3, 7, 50]) {
        expect(await walk(by, limit)).toEqual(all.map(({ name }) => name));
      }
    },
  );

  test("a cursor of another order, and a text that is none, are refused", async () => {
    const { next } = await query().orderBy("price").executeKeyset({ limit: 2 });
    expect(next).toBeTypeOf("string");
    const forged = Buffer.from(JSON.stringify(["price,id", { $gt: 0 }, "x"])).toString("base64url");
    for (const [order, after] of [
      ["name", next],
      ["-price", next],
      ["price", "nonsense"],
      ["price", forged],
      ["price", "x".repeat(5_000)],
    ] as const) {
      await expect(query().orderBy(order).executeKeyset({ limit: 2, after })).rejects.toMatchObject(
        { code: "VALIDATION_ERROR" },
      );
    }
  });

  test("a column that may be null cannot carry a cursor", async () => {
    await expect(query().orderBy("description").executeKeyset({ limit: 1 })).rejects.toThrow(
      TypeError,
    );
  });
});
