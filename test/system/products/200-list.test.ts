import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { makeProduct, namesOf } from "./support.ts";

const app = await testApp();
const { call, clock, reset, signUp } = app;
let token: string;

/** Made in this order, a second apart. */
const PRODUCTS = [
  { name: "Bolt", price: 3, category: "tools", description: "steel, 50% off" },
  { name: "anvil", price: 250.5, category: "tools" },
  { name: "Crate_A", price: 12, category: "home" },
  { name: "CrateXA", price: 12.5, category: "home" },
  { name: "Path\\name", price: 0, category: "odd" },
  { name: "O'Brien; DROP TABLE products --", price: 7, category: "odd" },
  { name: "\u00DCnder", price: 1, category: "\u00FCber & 'co'" },
];

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
  for (const product of PRODUCTS) {
    await makeProduct(app, token, product);
    clock.advance(1_000);
  }
});

const list = (query: Record<string, string> = {}) =>
  call("GET", `/api/products?${new URLSearchParams(query)}`, { token });

test("without a parameter: 20 a page, the newest first", async () => {
  const answer = await list();
  expect(answer.status).toBe(200);
  expect(namesOf(answer)).toEqual(PRODUCTS.map(({ name }) => name).reverse());
  expect(answer.json["pagination"]).toEqual({
    page: 1,
    limit: 20,
    total: 7,
    totalPages: 1,
    hasNext: false,
    hasPrev: false,
  });
});

test("pages are disjoint, together are all, and say what is left", async () => {
  const pages = await Promise.all(["1", "2", "3"].map((page) => list({ page, limit: "3" })));
  expect(pages.map(({ json }) => json["pagination"])).toMatchObject([
    { page: 1, total: 7, totalPages: 3, hasNext: true, hasPrev: false },
    { page: 2, total: 7, totalPages: 3, hasNext: true, hasPrev: true },
    { page: 3, total: 7, totalPages: 3, hasNext: false, hasPrev: true },
  ]);
  expect(pages.flatMap(namesOf)).toEqual(PRODUCTS.map(({ name }) => name).reverse());
});

test("a page past the end is empty", async () => {
  const answer = await list({ page: "1000000", limit: "100" });
  expect(answer.status).toBe(200);
  expect(namesOf(answer)).toEqual([]);
  expect(answer.json["pagination"]).toMatchObject({ total: 7, hasNext: false, hasPrev: true });
});

test.each([
  ["%", ["Bolt"]],
  ["50% off", ["Bolt"]],
  ["_", ["Crate_A"]],
  ["Crate_A", ["Crate_A"]],
  ["crate", ["Crate_A", "CrateXA"]],
  ["\\", ["Path\\name"]],
  ["\\n", ["Path\\name"]],
  ["'", ["O'Brien; DROP TABLE products --"]],
  ["' OR 1=1 --", []],
  ["%' OR '1'='1", []],
  ["STEEL", ["Bolt"]],
  [
    "",
    [
      "Bolt",
      "anvil",
      "Crate_A",
      "CrateXA",
      "Path\\name",
      "O'Brien; DROP TABLE products --",
      "\u00DCnder",
    ],
  ],
])("search %j is literal text", async (search, names) => {
  const answer = await list({ search, sort: "createdAt" });
  expect(answer.status).toBe(200);
  expect(namesOf(answer)).toEqual(names);
});

test.each([
  ["home", ["Crate_A", "CrateXA"]],
  ["\u00FCber & 'co'", ["\u00DCnder"]],
  ["hom", []],
  ["%", []],
])("category %j is exact", async (category, names) => {
  expect(namesOf(await list({ category, sort: "createdAt" }))).toEqual(names);
});

test("search and category hold together", async () => {
  expect(namesOf(await list({ category: "home", search: "crate_" }))).toEqual(["Crate_A"]);
});

const created = PRODUCTS.map(({ name }) => name);
const byPrice = [...PRODUCTS].sort((a, b) => a.price - b.price).map(({ name }) => name);

test.each([
  ["createdAt", created],
  ["-createdAt", [...created].reverse()],
  ["price", byPrice],
  ["-price", [...byPrice].reverse()],
])("sort %s", async (sort, names) => {
  expect(namesOf(await list({ sort }))).toEqual(names);
});

test.each(["name", "-name", "category", "-category"])(
  "sort %s is one way or the other",
  async (sort) => {
    const column = sort.replace("-", "") as "name" | "category";
    const answer = await list({ sort });
    const values = (answer.json["data"] as Record<string, string>[]).map(
      (row) => row[column] ?? "",
    );
    const opposite = await list({ sort: sort.startsWith("-") ? column : `-${column}` });
    const other = (opposite.json["data"] as Record<string, string>[]).map(
      (row) => row[column] ?? "",
    );
    expect(values).toEqual([...other].reverse());
    expect(new Set(values)).toEqual(new Set(PRODUCTS.map((product) => product[column])));
  },
);

test("all signed-in users see the same list", async () => {
  const other = await signUp();
  const answer = await call("GET", "/api/products", { token: other.token });
  expect(namesOf(answer)).toHaveLength(7);
});

test("one product is what was made", async () => {
  const made = await makeProduct(app, token, { name: "One", description: "line\nline\ttab" });
  const answer = await call("GET", `/api/products/${made.id}`, { token });
  expect(answer.status).toBe(200);
  expect(answer.json["data"]).toEqual(made);
});
