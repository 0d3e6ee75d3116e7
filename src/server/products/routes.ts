import { z } from "zod";
import { referenceAccess } from "../../access/index.ts";
import type { Bulwark } from "../../bulwark/index.ts";
import { type AnyRoute, ResponseBuilder } from "../../core/index.ts";
import { page } from "../page-query.ts";
import { ProductService, SORTS } from "./product-service.ts";

const CONTROL = /(?![\n\t])\p{Cc}/u;

/** Text without control characters, which PostgreSQL (NUL) or a terminal would stumble over. */
const text = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((value) => value.isWellFormed() && !CONTROL.test(value), {
      error: "Control characters are not allowed.",
    });

const ProductFields = z.strictObject({
  name: text(1, 200),
  price: z.number().min(0).max(1_000_000_000_000),
  category: text(1, 100),
  description: text(0, 5_000).optional(),
});

const ProductBody = ProductFields.meta({
  examples: [{ name: "Lamp", price: 39.5, category: "home", description: "A warm light." }],
});

const ProductPatch = ProductFields.partial()
  .refine((body) => Object.keys(body).length > 0, { error: "Expected at least one field." })
  .meta({ description: "At least one field.", examples: [{ price: 34.5 }] });

const Product = z
  .strictObject({
    id: z.uuid(),
    ownerId: z.uuid(),
    name: z.string(),
    description: z.string().nullable(),
    price: z.number(),
    category: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Product" });

const ProductQuery = z.strictObject({
  ...page,
  search: text(0, 200).optional(),
  category: text(1, 100).optional(),
  sort: z.enum(SORTS).default("-createdAt"),
});

export function productRoutes(bulwark: Bulwark): readonly AnyRoute[] {
  const { AuthenticatedAPIHandler } = bulwark.handlers;
  const products = new ProductService(bulwark);

  const list = AuthenticatedAPIHandler.GET(
    referenceAccess.requireScopes("products:read")(async (context) =>
      ResponseBuilder.fromQueryResult(await products.getAll(context.query, context)),
    ),
    {
      path: "/api/products",
      requireAuth: true,
      query: ProductQuery,
      response: z.array(Product),
      summary: "Products, by page; the search is for literal text",
    },
  );

  const create = AuthenticatedAPIHandler.POST(
    referenceAccess.requireScopes("products:write")(async (context) =>
      ResponseBuilder.created(await products.create(context.body, context)),
    ),
    {
      path: "/api/products",
      requireAuth: true,
      body: ProductBody,
      response: Product,
      status: 201,
      summary: "Make a product",
    },
  );

  const get = AuthenticatedAPIHandler.GET(
    (context) => products.getById(context.params.id, context),
    {
      path: "/api/products/:id",
      requireAuth: true,
      response: Product,
      summary: "One product",
    },
  );

  const patch = AuthenticatedAPIHandler.PATCH(
    async (context) =>
      ResponseBuilder.updated(await products.update(context.params.id, context.body, context)),
    {
      path: "/api/products/:id",
      requireAuth: true,
      body: ProductPatch,
      response: Product,
      errors: ["FORBIDDEN"],
      summary: "Change a product; its owner or an admin",
    },
  );

  const remove = AuthenticatedAPIHandler.DELETE(
    referenceAccess.requireRoles(
      "admin",
      "moderator",
    )(async (context) => {
      await products.delete(context.params.id, context);
      return ResponseBuilder.deleted();
    }),
    {
      path: "/api/products/:id",
      requireAuth: true,
      rateLimit: { requests: 30, window: "1m" },
      response: z.null(),
      summary: "Delete a product; admins and moderators",
    },
  );

  return [list, create, get, patch, remove];
}
