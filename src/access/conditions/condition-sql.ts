import { and, getTableColumns, or, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Principal } from "../../core/index.ts";
import { holdable, operand } from "./column-values.ts";
import type { Comparand, Leaf, Normal } from "./normal-form.ts";

/**
 * conditionSql is a condition as SQL that is true, false and never unknown where it stands in a WHERE: for each row it says what the
 * decision says of the same row. What does not depend on the row comes as a boolean. Throws a TypeError only if the table has no
 * such column, or one of a type that SQL and JavaScript compare differently.
 */
export function conditionSql(normal: Normal, principal: Principal, table: PgTable): SQL | boolean {
  if (normal.kind === "leaf") return leafSql(normal, principal, table);
  const parts = normal.of.map((part) => conditionSql(part, principal, table));
  return normal.kind === "all" ? allSql(parts) : anySql(parts);
}

/** allSql joins what must all hold. */
export function allSql(parts: readonly (SQL | boolean)[]): SQL | boolean {
  if (parts.includes(false)) return false;
  return and(...parts.filter((part) => typeof part !== "boolean")) ?? true;
}

/** anySql joins of what one must hold. */
export function anySql(parts: readonly (SQL | boolean)[]): SQL | boolean {
  if (parts.includes(true)) return true;
  return or(...parts.filter((part) => typeof part !== "boolean")) ?? false;
}

function leafSql(leaf: Leaf, principal: Principal, table: PgTable): SQL | boolean {
  const column = columnOf(table, leaf.field);
  const values = valuesOf(leaf.comparand, principal);
  const hasNull = values.includes(null);
  const comparable = values.filter((value) => value !== null && holdable(column, value));
  const isNull = sql`${column} IS NULL`;
  if (comparable.length === 0) {
    if (!hasNull) return leaf.negated;
    return leaf.negated ? sql`${column} IS NOT NULL` : isNull;
  }
  const list = comparable.map((value) => sql`${sql.param(value, column)}`);
  const isOne = sql`${operand(column)} IN (${sql.join(list, sql`, `)})`;
  if (!leaf.negated) return hasNull ? (or(isNull, isOne) ?? false) : isOne;
  // A null is in no list, and SQL would not know.
  const isNone = sql`NOT (${isOne})`;
  return hasNull ? sql`(${column} IS NOT NULL AND ${isNone})` : sql`(${isNull} OR ${isNone})`;
}

function columnOf(table: PgTable, field: string): PgColumn {
  const columns = getTableColumns(table) as Readonly<Record<string, PgColumn>>;
  const column = Object.hasOwn(columns, field) ? columns[field] : undefined;
  if (column !== undefined) return column;
  throw new TypeError(`filter: expected a table with a column ${field}, came one without`);
}

function valuesOf(comparand: Comparand, principal: Principal): readonly unknown[] {
  if (comparand.is === "values") return comparand.values;
  if (comparand.is === "tenant") return present(principal.tenantId);
  return principal.kind === "tenantKey" ? [] : present(principal.userId);
}

const present = (value: string | undefined): readonly string[] =>
  value === undefined ? [] : [value];
