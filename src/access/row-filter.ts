import { type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { allSql, anySql, conditionSql } from "./conditions/index.ts";

/**
 * rowFilter is the condition of the rows of a table that the rules let a principal act on: for each row it says what the decision says
 * of the row as an object. It is always a condition, so that nobody can forget the case of no row.
 */
export function rowFilter(
  rules: readonly CompiledRule[],
  principal: Principal | undefined,
  table: PgTable,
): SQL {
  const filter = principal === undefined ? false : filterOf(rules, principal, table);
  return typeof filter === "boolean" ? sql`${sql.raw(String(filter))}` : filter;
}

function filterOf(
  rules: readonly CompiledRule[],
  principal: Principal,
  table: PgTable,
): SQL | boolean {
  const about = rules.filter((rule) => rule.isGranted(principal));
  const allowed = about
    .filter(({ rule }) => rule.effect === "allow")
    .map(({ condition }) =>
      condition === undefined ? true : conditionSql(condition, principal, table),
    );
  const spared = about
    .filter(({ rule, fields }) => rule.effect === "deny" && fields === undefined)
    .map(({ inverse }) =>
      inverse === undefined ? false : conditionSql(inverse, principal, table),
    );
  return allSql([anySql(allowed), ...spared]);
}
