import {
  and,
  eq,
  getTableColumns,
  ilike,
  inArray,
  isNull,
  isSQLWrapper,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { ValidationError } from "../core/index.ts";

/** allOf holds where every condition does; each is read by itself, also one of raw SQL with an `or` in it. */
export const allOf = (...conditions: readonly (SQL | undefined)[]): SQL | undefined =>
  and(...conditions.map((condition) => condition && sql`(${condition})`));

/** nameOf is what the rows of its table call a column. */
export function nameOf(column: PgColumn): string {
  const columns = Object.entries(getTableColumns(column.table));
  return columns.find(([, own]) => own === column)?.[0] ?? column.name;
}

export const isColumn = (value: unknown): value is PgColumn =>
  typeof value === "object" && value !== null && "columnType" in value;

/** contains is the condition that a column contains a literal text, in any case of letters. */
export const contains = (column: PgColumn, text: string): SQL =>
  ilike(column, `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`);

/** isValue is the condition that a column has this value; null means is null. */
export const isValue = (column: PgColumn, value: unknown): SQL =>
  value === null ? isNull(column) : eq(column, defined(column, value));

/** A statement has at most 65535 parameters. */
const MAX_VALUES = 10_000;

/** isOneOf is the condition that a column has one of these values; none of them hold for no row. */
export function isOneOf(column: PgColumn, values: readonly unknown[]): SQL | undefined {
  if (values.length > MAX_VALUES) {
    const message = `Expected at most ${MAX_VALUES} values.`;
    throw new ValidationError([{ field: nameOf(column), message, code: "too_many" }]);
  }
  const known = values.filter((value) => value !== null).map((value) => defined(column, value));
  const one = inArray(column, known);
  return known.length === values.length ? one : or(one, isNull(column));
}

/**
 * defined returns a value that its column can write, and refuses every other with a ValidationError.
 * A condition on a value that is not there would ask for every row or for none, and nobody meant either: a TypeError.
 */
export function defined(column: PgColumn, value: unknown): unknown {
  if (value === undefined) {
    throw new TypeError(`${nameOf(column)}: expected a value, came undefined`);
  }
  if (isSQLWrapper(value)) return value;
  try {
    column.mapToDriverValue(value);
    return value;
  } catch {
    const message = "Not a value of this column's type.";
    throw new ValidationError([{ field: nameOf(column), message, code: "invalid_value" }]);
  }
}

/** whole returns a whole number within these bounds, and refuses every other with a ValidationError. */
export function whole(
  field: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const message = `Expected a whole number from ${least} to ${most}.`;
  throw new ValidationError([{ field, message, code: "out_of_range" }]);
}
