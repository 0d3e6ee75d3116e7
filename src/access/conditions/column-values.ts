import { type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NUL = "\0";

type Holds = (value: unknown, column: PgColumn) => boolean;

const wholeBetween =
  (least: number, most: number): Holds =>
  (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

// PostgreSQL holds no NUL, and a lone surrogate would reach it as another character.
const isText = (value: unknown): value is string =>
  typeof value === "string" && !value.includes(NUL) && value.isWellFormed();

const int2 = wholeBetween(-(2 ** 15), 2 ** 15 - 1);
const int4 = wholeBetween(-(2 ** 31), 2 ** 31 - 1);
const int8 = wholeBetween(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const big: Holds = (value) =>
  typeof value === "bigint" && value >= -(2n ** 63n) && value < 2n ** 63n;

/**
 * Which values a column of a type can hold, so that a row's value may be one of them as JavaScript compares them. A type that is not
 * here compares otherwise in SQL: `real` rounds, `numeric` comes as text, `char` pads, JSON has no equality.
 */
const HOLDS: Readonly<Record<string, Holds>> = {
  // Rows show it in lower case, and compared is the text.
  PgUUID: (value) => typeof value === "string" && UUID.test(value),
  PgText: isText,
  PgVarchar: isText,
  PgEnumColumn: (value, column) =>
    typeof value === "string" && (column.enumValues ?? []).includes(value),
  PgBoolean: (value) => typeof value === "boolean",
  PgSmallInt: int2,
  PgSmallSerial: int2,
  PgInteger: int4,
  PgSerial: int4,
  PgBigInt53: int8,
  PgBigSerial53: int8,
  PgBigInt64: big,
  PgBigSerial64: big,
  PgDoublePrecision: (value) => typeof value === "number" && Number.isFinite(value),
  PgTimestamp: (value) => value instanceof Date && isWrittenAlike(value),
};

/** Years of four digits are written alike in JavaScript and in PostgreSQL. */
const isWrittenAlike = (date: Date): boolean =>
  date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9_999;

/** holdable tells whether a row's column may have a value at all. Throws a TypeError only if columns of its type are not compared. */
export function holdable(column: PgColumn, value: unknown): boolean {
  const holds = Object.hasOwn(HOLDS, column.columnType) ? HOLDS[column.columnType] : undefined;
  if (holds !== undefined) return holds(value, column);
  throw new TypeError(
    `filter: column ${column.name}: expected a uuid, text, varchar, enum, boolean, integer, bigint, double precision or timestamp (mode date), came ${column.getSQLType()}`,
  );
}

/** operand is a column as it is compared: a timestamp by its millisecond, which is all that a Date has of it. */
export function operand(column: PgColumn): SQL {
  const { precision } = column as unknown as { readonly precision?: number };
  const isFine =
    column.columnType === "PgTimestamp" && !(precision !== undefined && precision <= 3);
  return isFine ? sql`date_trunc('milliseconds', ${column})` : sql`${column}`;
}
