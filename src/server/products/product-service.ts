import { and, asc, count, desc, eq, ilike, or, type SQL } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  ForbiddenError,
  isUuid,
  NotFoundError,
  type Pagination,
  paginationOf,
  type RequestContext,
  uuidv7,
} from "../../core/index.ts";
import type { Database, OrmTransaction } from "../../database/index.ts";
import { products } from "./table.ts";

export type Product = typeof products.$inferSelect;

export interface NewProduct {
  readonly name: string;
  readonly price: number;
  readonly category: string;
  readonly description?: string | undefined;
}

export type ProductChanges = { readonly [Name in keyof NewProduct]?: NewProduct[Name] | undefined };

export interface ProductQuery {
  readonly page: number;
  readonly limit: number;
  readonly search?: string | undefined;
  readonly category?: string | undefined;
  readonly sort: string;
}

const COLUMNS = {
  createdAt: products.createdAt,
  name: products.name,
  price: products.price,
  category: products.category,
};

/** The orders that a list may be asked for: a column, or a column after a dash for the other way round. */
export const SORTS = Object.keys(COLUMNS).flatMap((name) => [name, `-${name}`]);

export interface ProductServiceOptions {
  readonly database: Database;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** ProductService keeps the products of the reference API. All signed-in users see them; owners and admins change them. */
export class ProductService {
  readonly #database: Database;
  readonly #audit: AuditSink;
  readonly #clock: Clock;

  constructor({ database, audit, clock }: ProductServiceOptions) {
    this.#database = database;
    this.#audit = audit;
    this.#clock = clock;
  }

  async list(
    query: ProductQuery,
  ): Promise<{ readonly data: readonly Product[]; readonly pagination: Pagination }> {
    const { page, limit, search, category } = query;
    const text = search === undefined ? undefined : `%${escapeLike(search)}%`;
    const where = and(
      category === undefined ? undefined : eq(products.category, category),
      text === undefined
        ? undefined
        : or(ilike(products.name, text), ilike(products.description, text)),
    );
    return this.#database.run(async (orm) => {
      const data = await orm
        .select()
        .from(products)
        .where(where)
        .orderBy(orderOf(query.sort), desc(products.id))
        .limit(limit)
        .offset((page - 1) * limit);
      const [counted] = await orm.select({ total: count() }).from(products).where(where);
      return { data, pagination: paginationOf({ page, limit, total: counted?.total ?? 0 }) };
    });
  }

  async get(id: string): Promise<Product> {
    const [row] = isUuid(id)
      ? await this.#database.run((orm) => orm.select().from(products).where(eq(products.id, id)))
      : [];
    if (row === undefined) throw new NotFoundError("Product", id);
    return row;
  }

  create(input: NewProduct, context: RequestContext<true>): Promise<Product> {
    const now = new Date(this.#clock.now());
    const product: Product = {
      id: uuidv7(now.getTime()),
      ownerId: context.userId,
      name: input.name,
      description: input.description ?? null,
      price: input.price,
      category: input.category,
      createdAt: now,
      updatedAt: now,
    };
    return this.#change("create", product.id, context, async (tx) => {
      await tx.insert(products).values(product);
      return product;
    });
  }

  /** update changes a product for its owner or an admin. Throws a ForbiddenError only if the caller is neither. */
  async update(id: string, input: ProductChanges, context: RequestContext<true>): Promise<Product> {
    await this.get(id);
    const isAdmin = context.roles.includes("admin");
    const mine = and(
      eq(products.id, id),
      isAdmin ? undefined : eq(products.ownerId, context.userId),
    );
    return this.#change("update", id, context, async (tx) => {
      const changes = { ...input, updatedAt: new Date(this.#clock.now()) };
      const [row] = await tx.update(products).set(changes).where(mine).returning();
      if (row === undefined) throw new ForbiddenError("Only the owner may change this product.");
      return row;
    });
  }

  async delete(id: string, context: RequestContext<true>): Promise<void> {
    if (!isUuid(id)) throw new NotFoundError("Product", id);
    await this.#change("delete", id, context, async (tx) => {
      const gone = await tx.delete(products).where(eq(products.id, id)).returning();
      if (gone.length === 0) throw new NotFoundError("Product", id);
    });
  }

  /** One transaction holds the change and its audit row. */
  #change<T>(
    action: "create" | "update" | "delete",
    id: string,
    context: RequestContext<true>,
    work: (tx: OrmTransaction) => Promise<T>,
  ): Promise<T> {
    return this.#database.transaction(async (tx) => {
      const result = await work(tx);
      const type = `product.${action}`;
      const event = { type, severity: "low", result: "success", resource: `product:${id}`, action };
      await this.#audit.record(event as Parameters<AuditSink["record"]>[0], context, tx);
      return result;
    });
  }
}

function orderOf(sort: string): SQL {
  const name = sort.replace(/^-/, "") as keyof typeof COLUMNS;
  return sort.startsWith("-") ? desc(COLUMNS[name]) : asc(COLUMNS[name]);
}

/** escapeLike makes a text stand for itself inside a LIKE pattern. */
const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, "\\$&");
