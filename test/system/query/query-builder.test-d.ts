import { assertType, expectTypeOf, test } from "vitest";
import { type QueryBuilder, users } from "../../../src/database/index.ts";
import { products } from "../../../src/server/products/table.ts";

declare const query: QueryBuilder<typeof products>;

test("rows have the table's types, or those of the selection", () => {
  expectTypeOf(query.execute()).resolves.items.toEqualTypeOf<typeof products.$inferSelect>();
  expectTypeOf(query.select("name", "price").execute()).resolves.items.toEqualTypeOf<{
    name: string;
    price: number;
  }>();
  expectTypeOf(query.select("name").first()).resolves.toEqualTypeOf<{ name: string } | undefined>();
});

test("values have their column's type", () => {
  assertType(query.where(products.price, 1));
  assertType(query.where(products.description, null));
  // @ts-expect-error a number is no name
  query.where(products.name, 1);
  // @ts-expect-error a text is no price
  query.whereIn(products.price, ["1"]);
  // @ts-expect-error there is no such column
  query.select("nope");
});

test("names and columns are those of the table, or of what was selected", () => {
  // @ts-expect-error price was not selected
  query.select("name").select("price");
  // @ts-expect-error a column of another table
  query.where(users.email, "a@example.com");
  // @ts-expect-error a column of another table
  query.orderBy(users.email);
  // @ts-expect-error a page has a number
  query.paginate({ page: "1", limit: 20 });
  // @ts-expect-error a text is no date
  query.whereGte(products.createdAt, "2027-01-01");
});
