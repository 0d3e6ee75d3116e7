import {
  eq,
  getTableColumns,
  type InferInsertModel,
  type InferSelectModel,
  type SQL,
} from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import {
  type AuditSink,
  type Clock,
  ConflictError,
  ForbiddenError,
  isUuid,
  NotFoundError,
  type RequestContext,
  systemClock,
  uuidv7,
  ValidationError,
} from "../core/index.ts";
import {
  BaseAPIService,
  isBadValue,
  isConflict,
  type ServiceOptions,
} from "../observability/index.ts";
import { allOf } from "./conditions.ts";
import type { Database } from "./database.ts";
import type { OrmTransaction } from "./orm.ts";
import { createQueryBuilder, type Page, type QueryBuilder } from "./query-builder.ts";
import { isTenantTable, tenantScopeOf } from "./tenancy.ts";

type Action = "read" | "create" | "update" | "delete";

export interface CRUDOptions<T extends PgTable> extends ServiceOptions {
  readonly database: Database;
  readonly table: T;
  /** What one row is called: `product` makes the events `product.create`, `product.update`, `product.delete`. */
  readonly resource: string;
  readonly audit: AuditSink;
  readonly clock?: Clock | undefined;
}

export interface ListQuery {
  readonly page: number;
  readonly limit: number;
}

/**
 * BaseCRUDService reads and changes the rows of one table, whose primary key is a UUID in a column `id`. Every change and
 * its audit row commit together; a value that no column can hold is a ValidationError, and a row that conflicts with another a
 * ConflictError. Override the hooks to decide more, and `scope` to say which rows an action may touch: it
 * stands in the WHERE of the statement itself. A table with a column `tenantId` is confined to the caller's tenant. `createdAt` and `updatedAt` are kept where the table has them.
 */
export class BaseCRUDService<
  T extends PgTable,
  Create extends object = InferInsertModel<T>,
  Update extends object = Partial<Create>,
  List extends ListQuery = ListQuery,
> extends BaseAPIService {
  protected readonly database: Database;
  protected readonly table: T;
  protected readonly clock: Clock;
  readonly #resource: string;
  readonly #audit: AuditSink;
  readonly #id: PgColumn;
  readonly #columns: Readonly<Record<string, PgColumn>>;

  constructor(options: CRUDOptions<T>) {
    super(options);
    this.database = options.database;
    this.table = options.table;
    this.clock = options.clock ?? systemClock;
    this.#resource = options.resource;
    this.#audit = options.audit;
    this.#columns = getTableColumns(options.table) as Record<string, PgColumn>;
    const id = this.#columns["id"];
    if (id?.columnType !== "PgUUID" || !id.primary) {
      throw new TypeError(`${options.resource}: expected a table whose primary key is a uuid "id"`);
    }
    this.#id = id;
  }

  /** getAll returns a page of the rows that the caller may read. */
  getAll(query: List, context: RequestContext<true>): Promise<Page<InferSelectModel<T>>> {
    return this.executeWithTracing("getAll", {}, () => {
      const { page, limit } = query;
      return this.list(this.#readable(context), query).executePaginated({ page, limit });
    });
  }

  /** getById returns one row. Rejects with a NotFoundError if there is none that the caller may read. */
  getById(id: string, context: RequestContext<true>): Promise<InferSelectModel<T>> {
    return this.executeWithTracing("getById", {}, async () => {
      const row = isUuid(id)
        ? await this.#readable(context).where(eq(this.#id, id)).first()
        : undefined;
      if (row === undefined) throw this.#missing(id);
      return row;
    });
  }

  /** create adds a row. */
  create(input: Create, context: RequestContext<true>): Promise<InferSelectModel<T>> {
    return this.executeWithTracing("create", {}, () =>
      this.#transaction(context, async (tx) => {
        const now = this.clock.now();
        const stamps = this.#stamps(["createdAt", "updatedAt"], now);
        const values = {
          ...(await this.beforeCreate(input, context, tx)),
          ...stamps,
          ...this.#tenantOf(context),
          id: uuidv7(now),
        };
        const [row] = await tx
          .insert(this.table as PgTable)
          .values(values)
          .returning();
        const created = row as InferSelectModel<T>;
        await this.afterCreate(created, context, tx);
        await this.#record("create", values.id, context, tx);
        return created;
      }),
    );
  }

  /** update changes a row. Rejects with a NotFoundError if there is none, and a ForbiddenError if the scope leaves it out. */
  update(id: string, input: Update, context: RequestContext<true>): Promise<InferSelectModel<T>> {
    return this.executeWithTracing("update", {}, () =>
      this.#change("update", id, context, async (tx, where) => {
        const stamps = this.#stamps(["updatedAt"], this.clock.now());
        const asked = await this.beforeUpdate(id, input, context, tx);
        // The id is set to what it is, so that a change of nothing is a statement too.
        const changes: Record<string, unknown> = { ...asked, ...stamps, id };
        // A row stays in its tenant.
        if (isTenantTable(this.table)) delete changes["tenantId"];
        const [row] = await tx
          .update(this.table as PgTable)
          .set(changes)
          .where(where)
          .returning();
        if (row !== undefined) await this.afterUpdate(row as InferSelectModel<T>, context, tx);
        return row as InferSelectModel<T> | undefined;
      }),
    );
  }

  /** delete removes a row and returns it as it was. Rejects like {@link update}. */
  delete(id: string, context: RequestContext<true>): Promise<InferSelectModel<T>> {
    return this.executeWithTracing("delete", {}, () =>
      this.#change("delete", id, context, async (tx, where) => {
        await this.beforeDelete(id, context, tx);
        const [row] = await tx
          .delete(this.table as PgTable)
          .where(where)
          .returning();
        if (row !== undefined) await this.afterDelete(row as InferSelectModel<T>, context, tx);
        return row as InferSelectModel<T> | undefined;
      }),
    );
  }

  /** scope is the condition of the rows that an action may touch; undefined for all. */
  protected scope(
    _action: Exclude<Action, "create">,
    _context: RequestContext<true>,
  ): SQL | undefined {
    return undefined;
  }

  /** list turns what was asked for into a query. Default: as it is. */
  protected list(builder: QueryBuilder<T>, _query: List): QueryBuilder<T> {
    return builder;
  }

  protected async beforeCreate(
    input: Create,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<object> {
    return { ...input };
  }

  protected async beforeUpdate(
    _id: string,
    input: Update,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<object> {
    return { ...input };
  }

  protected async beforeDelete(
    _id: string,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<void> {}
  protected async afterCreate(
    _row: InferSelectModel<T>,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<void> {}
  protected async afterUpdate(
    _row: InferSelectModel<T>,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<void> {}
  protected async afterDelete(
    _row: InferSelectModel<T>,
    _context: RequestContext<true>,
    _tx: OrmTransaction,
  ): Promise<void> {}

  #readable(context: RequestContext<true>): QueryBuilder<T> {
    return createQueryBuilder(this.table, {
      database: this.database,
      scope: this.scope("read", context),
      context,
    });
  }

  #change<R>(
    action: "update" | "delete",
    id: string,
    context: RequestContext<true>,
    work: (tx: OrmTransaction, where: SQL | undefined) => Promise<R | undefined>,
  ): Promise<R> {
    if (!isUuid(id)) return Promise.reject(this.#missing(id));
    return this.#transaction(context, async (tx) => {
      const tenant = tenantScopeOf(this.table, context)?.condition;
      const row = await work(tx, allOf(eq(this.#id, id), tenant, this.scope(action, context)));
      if (row === undefined) throw await this.#refusalOf(id, context, tx);
      await this.#record(action, id, context, tx);
      return row;
    });
  }

  async #transaction<R>(
    context: RequestContext<true>,
    work: (tx: OrmTransaction) => Promise<R>,
  ): Promise<R> {
    const scope = tenantScopeOf(this.table, context);
    try {
      return await (scope === undefined
        ? this.database.transaction(work)
        : this.database.inTenant(scope.tenantId, work));
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** The tenant of a new row is the caller's, whatever was asked for. */
  #tenantOf(context: RequestContext<true>): { readonly tenantId?: string } {
    const scope = tenantScopeOf(this.table, context);
    if (scope === undefined) return {};
    if (scope.tenantId === undefined) throw new ForbiddenError("This needs a tenant to act in.");
    return { tenantId: scope.tenantId };
  }

  /** A row that the caller may see but not change is forbidden; every other is not there. */
  async #refusalOf(id: string, context: RequestContext<true>, tx: OrmTransaction): Promise<Error> {
    const scope = this.scope("read", context);
    const seen = await createQueryBuilder(this.table, {
      database: this.database,
      tx,
      scope,
      context,
    })
      .where(eq(this.#id, id))
      .exists();
    return seen ? new ForbiddenError() : this.#missing(id);
  }

  #record(
    action: Action,
    id: string,
    context: RequestContext<true>,
    tx: OrmTransaction,
  ): Promise<void> {
    return this.#audit.record(
      {
        type: `${this.#resource}.${action}`,
        severity: "low",
        result: "success",
        resource: `${this.#resource}:${id}`,
        action,
      },
      context,
      tx,
    );
  }

  #stamps(names: readonly string[], now: number): Record<string, Date> {
    const own = names.filter((name) => Object.hasOwn(this.#columns, name));
    return Object.fromEntries(own.map((name) => [name, new Date(now)]));
  }

  #missing(id: string): NotFoundError {
    const name = this.#resource.charAt(0).toUpperCase() + this.#resource.slice(1);
    return new NotFoundError(name, id);
  }
}

/** What a table refuses of an input is the input's fault; everything else stays as it is. */
function asRefusal(cause: unknown): unknown {
  if (isConflict(cause)) return new ConflictError("It conflicts with another row.", { cause });
  if (!isBadValue(cause)) return cause;
  const message = "A value is not of its column's type.";
  return new ValidationError([{ field: "body", message, code: "invalid_value" }]);
}
