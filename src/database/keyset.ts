import { and, eq, gt, lt, or, type SQL } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { ValidationError } from "../core/index.ts";

export interface Order {
  readonly name: string;
  readonly column: PgColumn;
  readonly descending: boolean;
}

const MAX_CURSOR = 2_048;

/** A cursor names its order, so that it cannot be read as one of another. It is no secret: it only says where to go on. */
const signatureOf = (orders: readonly Order[]): string =>
  orders.map(({ name, descending }) => (descending ? `-${name}` : name)).join(",");

/** cursorOf writes where a row stands in an order. */
export function cursorOf(row: Readonly<Record<string, unknown>>, orders: readonly Order[]): string {
  const values = orders.map(({ name, column }) => {
    const value = row[name];
    if (!column.notNull || value === null || value === undefined) {
      throw new TypeError(`keyset: ${name}: expected a column that is never null`);
    }
    return value instanceof Date ? value.toISOString() : value;
  });
  return Buffer.from(JSON.stringify([signatureOf(orders), ...values])).toString("base64url");
}

/** afterCursor is the condition of the rows behind a cursor. Throws a ValidationError only if it is none of this order. */
export function afterCursor(cursor: string, orders: readonly Order[]): SQL | undefined {
  const values = read(cursor, orders);
  const branches = orders.map((order, index) => {
    const before = orders.slice(0, index).map(({ column }, at) => eq(column, values[at]));
    const { column, descending } = order;
    return and(...before, descending ? lt(column, values[index]) : gt(column, values[index]));
  });
  return or(...branches);
}

function read(cursor: string, orders: readonly Order[]): unknown[] {
  try {
    if (cursor.length > MAX_CURSOR) throw new RangeError("too long");
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [signature, ...values] = JSON.parse(text) as unknown[];
    if (signature === signatureOf(orders) && values.length === orders.length) {
      return orders.map(({ column }, index) => typedValue(column, values[index]));
    }
  } catch {
    // Said below, like every other text that is no cursor.
  }
  throw new ValidationError([
    { field: "after", message: "Not a cursor of this list.", code: "invalid_cursor" },
  ]);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A value of another type than the column's is refused here, not by the database. */
function typedValue(column: PgColumn, value: unknown): unknown {
  if (column.dataType === "date") {
    const date = new Date(String(value));
    if (!Number.isNaN(date.getTime())) return date;
  } else if (column.columnType === "PgUUID") {
    if (typeof value === "string" && UUID.test(value)) return value;
  } else if (column.dataType === typeof value) return value;
  throw new RangeError(`${column.name}: another type`);
}
