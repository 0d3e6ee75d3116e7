import {
  asc,
  count as countRows,
  desc,
  getTableColumns,
  gte,
  type InferSelectModel,
  isNotNull,
  isNull,
  lte,
  ne,
  or,
  type SQL,
} from "drizzle-orm";
import { getTableConfig, type PgColumn, type PgTable } from "drizzle-orm/pg-core";
import { type Pagination, paginationOf, ValidationError } from "../core/index.ts";
import { isBadValue } from "../observability/index.ts";
import {
  allOf,
  contains,
  defined,
  isColumn,
  isOneOf,
  isValue,
  nameOf,
  whole,
} from "./conditions.ts";
import type { Database } from "./database.ts";
import { afterCursor, cursorColumns, cursorOf, invalidCursor, type Order } from "./keyset.ts";
import type { Orm } from "./orm.ts";
import { isTenantTable, type TenantContext, type TenantScope, tenantScopeOf } from "./tenancy.ts";

/** The names of a table's columns, as its rows have them. */
export type ColumnName<T extends PgTable> = keyof InferSelectModel<T> & string;

type ColumnOf<T extends PgTable> = T["_"]["columns"][keyof T["_"]["columns"] & string];
/** The JavaScript value of a column. */
type ValueOf<C extends PgColumn> = C["_"]["data"];

export interface QueryBuilderOptions {
  readonly database: Database;
  /** Runs in this transaction. Default: none. */
  readonly tx?: Orm | undefined;
  /** Largest page. Default 100. */
  readonly maxLimit?: number | undefined;
  /** Conditions that every statement of the builder has, whatever it is asked for. */
  readonly scope?: SQL | undefined;
  /** Whose tenant's rows these are, of a table that has a column `tenantId`: there it has to be given. */
  readonly context?: TenantContext | undefined;
  /** Reads the rows of every tenant. Default false. */
  readonly insecureAcrossTenants?: boolean | undefined;
}

/** What `executePaginated` returns, and `ResponseBuilder.fromQueryResult` answers. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly pagination: Pagination;
}

/** A page by keyset: `next` is the cursor of the one behind it, undefined on the last. */
export interface KeysetPage<Row> {
  readonly data: readonly Row[];
  readonly next: string | undefined;
}

interface State {
  readonly conditions: readonly SQL[];
  readonly orders: readonly Order[];
  readonly limit: number | undefined;
  readonly offset: number;
  readonly columns: readonly string[] | undefined;
}

const START: State = {
  conditions: [],
  orders: [],
  limit: undefined,
  offset: 0,
  columns: undefined,
};

/**
 * QueryBuilder reads one table. Each call returns a new builder, so that a part may be shared. Values are always parameters;
 * text patterns stand for themselves; names that are no column of the table, and values that cannot be of their column's
 * type, are refused with a ValidationError, since they mostly come from a request.
 */
export class QueryBuilder<T extends PgTable, Row = InferSelectModel<T>> {
  readonly #table: T;
  readonly #options: QueryBuilderOptions;
  readonly #state: State;
  readonly #maxLimit: number;
  readonly #columns: Readonly<Record<string, PgColumn>>;
  readonly #tenant: TenantScope | undefined;

  constructor(table: T, options: QueryBuilderOptions, state: State = START) {
    const { maxLimit = 100 } = options;
    if (!Number.isSafeInteger(maxLimit) || maxLimit < 1) {
      throw new TypeError(`maxLimit: expected a whole number of at least 1, came ${maxLimit}`);
    }
    this.#table = table;
    this.#options = options;
    this.#state = state;
    this.#maxLimit = maxLimit;
    this.#columns = getTableColumns(table) as Record<string, PgColumn>;
    this.#tenant =
      options.insecureAcrossTenants === true ? undefined : tenantScopeOf(table, options.context);
  }

  /** where keeps rows whose column has this value; null means is null. A condition of drizzle's own is taken as it is. */
  where(condition: SQL | undefined): QueryBuilder<T, Row>;
  where<C extends ColumnOf<T>>(column: C, value: ValueOf<C> | null): QueryBuilder<T, Row>;
  where(first: SQL | PgColumn | undefined, ...values: readonly unknown[]): QueryBuilder<T, Row> {
    if (isColumn(first)) return this.#and(isValue(first, values[0]));
    // A column that is misspelt must not ask for every row.
    if (values.length > 0) throw new TypeError("where: expected a column, came something else");
    return this.#and(first);
  }

  /** whereNot drops rows whose column has this value, and no others; null means is not null. */
  whereNot<C extends ColumnOf<T>>(column: C, value: ValueOf<C> | null): QueryBuilder<T, Row> {
    if (value === null) return this.#and(isNotNull(column));
    const differs = ne(column, defined(column, value));
    return this.#and(column.notNull ? differs : or(differs, isNull(column)));
  }

  /** whereIn keeps rows whose column has one of the values; no values keep no row. */
  whereIn<C extends ColumnOf<T>>(column: C, values: readonly ValueOf<C>[]): QueryBuilder<T, Row> {
    return this.#and(isOneOf(column, values));
  }

  /**
   * whereLike keeps rows whose column contains the text, in any case of letters. `%`, `_` and `\` stand for themselves;
   * a pair of `%` around the whole text may be written and changes nothing.
   */
  whereLike(column: ColumnOf<T>, text: string): QueryBuilder<T, Row> {
    return this.#and(contains(column, /^%(.+)%$/su.exec(text)?.[1] ?? text));
  }

  whereGte<C extends ColumnOf<T>>(column: C, value: ValueOf<C>): QueryBuilder<T, Row> {
    return this.#and(gte(column, defined(column, value)));
  }

  whereLte<C extends ColumnOf<T>>(column: C, value: ValueOf<C>): QueryBuilder<T, Row> {
    return this.#and(lte(column, defined(column, value)));
  }

  /** search keeps rows of which one of the columns contains the literal text; an empty or absent text keeps all. */
  search(text: string | undefined, columns: readonly ColumnOf<T>[]): QueryBuilder<T, Row> {
    if (text === undefined || text === "") return this;
    if (columns.length === 0) throw new TypeError("search: expected a column, came none");
    return this.#and(or(...columns.map((column) => contains(column, text))));
  }

  /** filter keeps rows that have all the values, by column name; undefined asks for nothing, a list for one of its values. */
  filter(
    values: {
      readonly [K in ColumnName<T>]?:
        | InferSelectModel<T>[K]
        | readonly InferSelectModel<T>[K][]
        | undefined;
    },
  ): QueryBuilder<T, Row>;
  filter(values: Readonly<Record<string, unknown>>): QueryBuilder<T, Row>;
  filter(values: Readonly<Record<string, unknown>>): QueryBuilder<T, Row> {
    const conditions = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        const column = this.#column(name);
        return Array.isArray(value) ? isOneOf(column, value) : isValue(column, value);
      });
    return this.#and(allOf(...conditions));
  }

  /** orderBy sorts by a column, or by its name, `-name` for the other way round; the first call sorts first. */
  orderBy(by: ColumnOf<T> | string, direction?: "asc" | "desc"): QueryBuilder<T, Row> {
    const isName = typeof by === "string";
    const backwards = isName && by.startsWith("-");
    const name = isName ? by.replace(/^-/, "") : nameOf(by);
    const order = {
      name,
      column: this.#column(name),
      descending: backwards !== (direction === "desc"),
    };
    return this.#with({ orders: [...this.#state.orders, order] });
  }

  /** limit asks for at most this many rows, and never gets more than the largest page. */
  limit(rows: number): QueryBuilder<T, Row> {
    return this.#with({ limit: Math.min(whole("limit", rows, 1), this.#maxLimit) });
  }

  offset(rows: number): QueryBuilder<T, Row> {
    return this.#with({ offset: whole("offset", rows, 0) });
  }

  /** paginate asks for one page, counted from 1. */
  paginate(at: { readonly page: number; readonly limit: number }): QueryBuilder<T, Row> {
    const limit = Math.min(whole("limit", at.limit, 1), this.#maxLimit);
    const page = whole("page", at.page, 1, Math.floor(Number.MAX_SAFE_INTEGER / limit));
    return this.#with({ limit, offset: (page - 1) * limit });
  }

  /** select narrows the rows to some columns. */
  select<K extends keyof Row & string>(...names: readonly K[]): QueryBuilder<T, Pick<Row, K>> {
    for (const name of names) this.#column(name);
    const state = { ...this.#state, columns: names };
    return new QueryBuilder<T, Pick<Row, K>>(this.#table, this.#options, state);
  }

  /** execute returns the rows; without a limit as many as the largest page has. */
  execute(): Promise<readonly Row[]> {
    return this.#run((orm) => this.#rows(orm, this.#state.limit ?? this.#maxLimit));
  }

  /** executePaginated returns the page and how many rows there are in all. */
  async executePaginated(at?: {
    readonly page: number;
    readonly limit: number;
  }): Promise<Page<Row>> {
    const paged = at === undefined ? this : this.paginate(at);
    const { offset, limit = Math.min(20, this.#maxLimit) } = paged.#state;
    const data = await paged.#run((orm) => paged.#rows(orm, limit));
    const total = await paged.count();
    return {
      data,
      pagination: paginationOf({ page: Math.floor(offset / limit) + 1, limit, total }),
    };
  }

  /**
   * executeKeyset returns the rows behind a cursor, in the builder's order with the primary key as the last word. It costs
   * the same on every page and skips nothing when rows are added. Throws a ValidationError only if the cursor is not
   * one of this order, and a TypeError only if a column of the order may be null or the table has no primary key.
   */
  async executeKeyset(at: {
    readonly limit: number;
    readonly after?: string | undefined;
  }): Promise<KeysetPage<Row>> {
    const limit = Math.min(whole("limit", at.limit, 1), this.#maxLimit);
    const orders = this.#totalOrder();
    this.#checkKeyset(orders);
    const behind = at.after === undefined ? undefined : afterCursor(at.after, orders);
    const from = this.#with({ offset: 0 }).#and(behind);
    const rows = await from
      .#run((orm) => from.#select(orm, limit + 1, cursorColumns(orders)))
      .catch((error: unknown) => {
        throw behind !== undefined && error instanceof ValidationError ? invalidCursor() : error;
      });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const names = this.#state.columns ?? Object.keys(this.#columns);
    const data = rows.slice(0, limit).map((row) => pick(row, names));
    return {
      data: data as unknown as readonly Row[],
      next: last === undefined ? undefined : cursorOf(last, orders),
    };
  }

  /** count returns how many rows match, whatever the limit. */
  count(): Promise<number> {
    return this.#run(async (orm) => {
      const [row] = await orm
        .select({ total: countRows() })
        .from(this.#table as PgTable)
        .where(this.#where());
      return row?.total ?? 0;
    });
  }

  /** exists tells whether a row matches. */
  async exists(): Promise<boolean> {
    return (await this.#run((orm) => this.#rows(orm, 1))).length > 0;
  }

  /** first returns the first row of the order, or undefined. */
  async first(): Promise<Row | undefined> {
    return (await this.#run((orm) => this.#rows(orm, 1)))[0];
  }

  async #rows(orm: Orm, limit: number): Promise<readonly Row[]> {
    return (await this.#select(orm, limit)) as unknown as readonly Row[];
  }

  async #select(
    orm: Orm,
    limit: number,
    more: Readonly<Record<string, SQL.Aliased>> = {},
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { columns, offset } = this.#state;
    const names = columns ?? Object.keys(this.#columns);
    const selection = Object.fromEntries(names.map((name) => [name, this.#column(name)]));
    return orm
      .select({ ...selection, ...more })
      .from(this.#table as PgTable)
      .where(this.#where())
      .orderBy(
        ...this.#totalOrder().map(({ column, descending }) =>
          descending ? desc(column) : asc(column),
        ),
      )
      .limit(limit)
      .offset(offset);
  }

  /** The primary key ends every order, so that no two pages can show a row twice or never. */
  #totalOrder(): readonly Order[] {
    const { orders } = this.#state;
    const keys = this.#keys()
      .filter((name) => !orders.some((order) => order.name === name))
      .map((name) => ({
        name,
        column: this.#column(name),
        descending: orders.at(-1)?.descending ?? false,
      }));
    return [...orders, ...keys];
  }

  /** The names of the columns of the primary key. */
  #keys(): readonly string[] {
    const several = getTableConfig(this.#table)
      .primaryKeys.flatMap(({ columns }) => columns)
      .map(({ name }) => name);
    return Object.entries(this.#columns)
      .filter(([, column]) => column.primary || several.includes(column.name))
      .map(([name]) => name);
  }

  #checkKeyset(orders: readonly Order[]): void {
    const keys = this.#keys();
    if (keys.length === 0) throw new TypeError("keyset: expected a table with a primary key");
    const found = orders.find(({ name, column }) => !column.notNull && !keys.includes(name));
    if (found === undefined) return;
    throw new TypeError(`keyset: ${found.name}: expected a column that is never null`);
  }

  async #run<R>(work: (orm: Orm) => Promise<R>): Promise<R> {
    try {
      return await this.#connected(work);
    } catch (error) {
      if (!isBadValue(error)) throw error;
      throw new ValidationError([
        { field: "query", message: "A value is not of its column's type.", code: "invalid_value" },
      ]);
    }
  }

  #connected<R>(work: (orm: Orm) => Promise<R>): Promise<R> {
    const { database, tx } = this.#options;
    if (tx !== undefined) return work(tx);
    if (this.#tenant !== undefined) return database.inTenant(this.#tenant.tenantId, work);
    return isTenantTable(this.#table) ? database.insecureAcrossTenants(work) : database.run(work);
  }

  #where(): SQL | undefined {
    return allOf(this.#tenant?.condition, this.#options.scope, ...this.#state.conditions);
  }

  #and(condition: SQL | undefined): QueryBuilder<T, Row> {
    if (condition === undefined) return this;
    return this.#with({ conditions: [...this.#state.conditions, condition] });
  }

  #with(change: Partial<State>): QueryBuilder<T, Row> {
    return new QueryBuilder<T, Row>(this.#table, this.#options, { ...this.#state, ...change });
  }

  #column(name: string): PgColumn {
    if (Object.hasOwn(this.#columns, name)) return this.#columns[name] as PgColumn;
    throw new ValidationError([
      { field: name.slice(0, 64), message: "There is no such column.", code: "unknown_column" },
    ]);
  }
}

const pick = (row: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, row[name]]));

/**
 * createQueryBuilder begins a query on one table. Throws a TypeError only if the table's rows belong to tenants (it has a column
 * `tenantId`) and neither a context nor `insecureAcrossTenants` is given.
 */
export const createQueryBuilder = <T extends PgTable>(
  table: T,
  options: QueryBuilderOptions,
): QueryBuilder<T> => new QueryBuilder<T>(table, options);
