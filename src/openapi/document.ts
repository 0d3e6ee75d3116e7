import type { AnyRoute, ErrorCode } from "../core/index.ts";
import { ANY_PATH, ENVELOPE_SCHEMAS, SECURITY_SCHEMES, SHARED_HEADERS } from "./components.ts";
import { errorCodes, sharedErrors } from "./errors.ts";
import { operationOf } from "./operation.ts";
import { templateOf } from "./parameters.ts";
import { SchemaRegistry } from "./schema-registry.ts";
import type { OpenApiDocument, Operation } from "./types.ts";

export interface OpenApiOptions {
  readonly title: string;
  /** Version of the API. */
  readonly version: string;
  /** URLs at which the API is served, such as `https://api.example.com`. */
  readonly servers: readonly string[];
}

/**
 * openApiDocument writes an OpenAPI 3.1 document from what the routes say of themselves: method, path, policies, schemas.
 * It holds no more than they state, so it cannot differ from what is enforced. It does not throw: a schema that has no JSON
 * Schema is documented as open, with a description.
 */
export function openApiDocument(
  routes: readonly AnyRoute[],
  options: OpenApiOptions,
): OpenApiDocument {
  const registry = new SchemaRegistry(Object.keys(ENVELOPE_SCHEMAS));
  const ids = operationIds(routes);
  const paths = new Map<string, Record<string, Operation>>();
  const codes = new Set<ErrorCode>();
  for (const [index, route] of routes.entries()) {
    const template = templateOf(route.path);
    const operation = operationOf(route, ids[index] as string, registry);
    for (const code of errorCodes(route)) codes.add(code);
    const item = paths.get(template) ?? {};
    paths.set(template, { ...item, [route.method.toLowerCase()]: operation });
  }
  const operations = [...paths.values()].flatMap((item) => Object.values(item));
  const tags = new Set(operations.flatMap((operation) => operation.tags));
  return {
    openapi: "3.1.0",
    info: { title: options.title, version: options.version, description: ANY_PATH },
    servers: options.servers.map((url) => ({ url })),
    tags: [...tags].map((name) => ({ name })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: { ...registry.schemas(), ...ENVELOPE_SCHEMAS },
      headers: SHARED_HEADERS,
      responses: sharedErrors(codes),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** operationIds name each route after its method and path, without `api`; a name that is taken gets a number. */
function operationIds(routes: readonly AnyRoute[]): string[] {
  const taken = new Set<string>();
  return routes.map(({ method, path }) => {
    const name = operationName(method, path);
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}${number}`;
    taken.add(free);
    return free;
  });
}

/** `GET /api/products/:id` is `getProductsById`. */
function operationName(method: string, path: string): string {
  const words = path.replace(/^\/api(?=\/)/, "").split(/[^A-Za-z0-9]+/);
  if (/\/[:*]\w+$/.test(path)) words.splice(-1, 0, "by");
  return [method.toLowerCase(), ...words]
    .filter((word) => word !== "")
    .map((word, index) => (index === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`))
    .join("");
}
