import { and, eq, gt, lt, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { ValidationError } from "../core/index.ts";

export interface Order {
  readonly name: string;
  readonly column: PgColumn;
  readonly descending: boolean;
}

/** A cursor rides in a URL, and a server's limit on those is mostly 8 or 16 KiB. */
const MAX_CURSOR = 8_192;

/** A cursor names its order, so that it cannot be read as one of another. It is no secret: it only says where to go on. */
const signatureOf = (orders: readonly Order[]): string =>
  orders.map(({ name, descending }) => (descending ? `-${name}` : name)).join(",");

/**
 * cursorColumns are what a page selects for its cursor, under names that no column has: the values as PostgreSQL writes
 * them, since a Date has no microseconds and a number not every digit.
 */
export const cursorColumns = (orders: readonly Order[]): Readonly<Record<string, SQL.Aliased>> =>
  Object.fromEntries(
    orders.map(({ column }, index) => {
      const name = cursorColumn(index);
      return [name, sql`${column}::text`.as(name)];
    }),
  );

const cursorColumn = (index: number): string => `keyset ${index}`;

/** cursorOf writes where a row stands in an order. */
export function cursorOf(row: Readonly<Record<string, unknown>>, orders: readonly Order[]): string {
  const values = orders.map((_order, index) => row[cursorColumn(index)]);
  return Buffer.from(JSON.stringify([signatureOf(orders), ...values])).toString("base64url");
}

/** afterCursor is the condition of the rows behind a cursor. Throws a ValidationError only if it is none of this order. */
export function afterCursor(cursor: string, orders: readonly Order[]): SQL | undefined {
  const values = read(cursor, orders).map((value) => sql`${value}`);
  const branches = orders.map((order, index) => {
    const before = orders.slice(0, index).map(({ column }, at) => eq(column, values[at]));
    const { column, descending } = order;
    return and(...before, descending ? lt(column, values[index]) : gt(column, values[index]));
  });
  return or(...branches);
}

/** The refusal of a text that is no cursor of a list; that a value is none of its column's type only the database knows. */
export const invalidCursor = (): ValidationError =>
  new ValidationError([
    { field: "after", message: "Not a cursor of this list.", code: "invalid_cursor" },
  ]);

function read(cursor: string, orders: readonly Order[]): string[] {
  try {
    if (cursor.length > MAX_CURSOR) throw new RangeError("too long");
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [signature, ...values] = JSON.parse(text) as unknown[];
    const isOurs = signature === signatureOf(orders) && values.length === orders.length;
    if (isOurs && values.every((value) => typeof value === "string")) return values;
  } catch {
    // Said below, like every other text that is no cursor.
  }
  throw invalidCursor();
}
