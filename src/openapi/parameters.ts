import type { SchemaRegistry } from "./schema-registry.ts";
import type { JsonSchema, Parameter } from "./types.ts";

/** templateOf writes a route's path as OpenAPI does: `/products/:id` is `/products/{id}`, `/files/*rest` is `/files/{rest}`. */
export const templateOf = (path: string): string => path.replaceAll(/[:*]([A-Za-z_]\w*)/g, "{$1}");

/** pathParameters are the parameters that a route's path names; each is one segment, and a `*rest` is all that follow. */
export const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/([:*])([A-Za-z_]\w*)/g)].map(([, kind, name]) => ({
    name: name as string,
    in: "path",
    required: true,
    ...(kind === "*" ? { description: "The rest of the path, slashes kept." } : {}),
    schema: { type: "string", minLength: 1 },
  }));

/** queryParameters are the fields of a query's schema, one by one; a schema that has none to tell is one open parameter. */
export function queryParameters(schema: JsonSchema, registry: SchemaRegistry): Parameter[] {
  const object = registry.resolve(schema);
  const properties = object.properties;
  if (properties === undefined) {
    const { description = "Checked by the server." } = object;
    return [{ name: "query", in: "query", required: false, description, schema: {} }];
  }
  const required = object.required ?? [];
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

/** isPaged tells whether a list is asked for by page, as those that answer a `pagination`. */
export const isPaged = (parameters: readonly Parameter[]): boolean =>
  ["page", "limit"].every((name) => parameters.some((each) => each.name === name));
