import { eq, type SQL } from "drizzle-orm";
import type { AuditSink, Clock, RequestContext } from "../../core/index.ts";
import {
  BaseCRUDService,
  type Database,
  type ListQuery,
  type QueryBuilder,
} from "../../database/index.ts";
import type { Observability } from "../../observability/index.ts";
import { products } from "./table.ts";

export interface NewProduct {
  readonly name: string;
  readonly price: number;
  readonly category: string;
  readonly description?: string | undefined;
}

export type ProductChanges = { readonly [Name in keyof NewProduct]?: NewProduct[Name] | undefined };

export interface ProductQuery extends ListQuery {
  readonly search?: string | undefined;
  readonly category?: string | undefined;
  readonly sort: string;
}

/** The orders that a list may be asked for: a column, or a column after a dash for the other way round. */
export const SORTS = ["createdAt", "name", "price", "category"].flatMap((name) => [
  name,
  `-${name}`,
]);

export interface ProductServiceOptions {
  readonly database: Database;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly observability: Observability;
}

/** ProductService keeps the products of the reference API. All signed-in users see them; owners and admins change them. */
export class ProductService extends BaseCRUDService<
  typeof products,
  NewProduct,
  ProductChanges,
  ProductQuery
> {
  constructor(options: ProductServiceOptions) {
    super({ ...options, table: products, resource: "product" });
  }

  protected override list(
    builder: QueryBuilder<typeof products>,
    { search, category, sort }: ProductQuery,
  ): QueryBuilder<typeof products> {
    return builder
      .filter({ category })
      .search(search, [products.name, products.description])
      .orderBy(sort);
  }

  /** The route of DELETE demands its roles; an update is for the owner, or an admin. */
  protected override scope(
    action: "read" | "update" | "delete",
    context: RequestContext<true>,
  ): SQL | undefined {
    const isOwners = action === "update" && !context.roles.includes("admin");
    return isOwners ? eq(products.ownerId, context.userId) : undefined;
  }

  protected override async beforeCreate(
    input: NewProduct,
    context: RequestContext<true>,
  ): Promise<object> {
    return { ...input, ownerId: context.userId };
  }
}
