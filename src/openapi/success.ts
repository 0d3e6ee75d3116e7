import type { AnyRoute } from "../core/index.ts";
import { headerReferences } from "./errors.ts";
import { exampleOf } from "./example.ts";
import type { SchemaRegistry } from "./schema-registry.ts";
import type { JsonSchema, MediaType, ResponseObject } from "./types.ts";

export interface SuccessOptions {
  readonly definition: AnyRoute["definition"];
  readonly operationId: string;
  /** Whether the answer is one page of a list. */
  readonly paged: boolean;
  readonly registry: SchemaRegistry;
}

/**
 * successResponse is what a route answers when all is well: the envelope around its data; or, where the route states what it
 * produces, that media type as it is, since such a handler makes its own Response.
 */
export function successResponse(options: SuccessOptions): ResponseObject {
  const { definition, operationId, registry } = options;
  const { response, produces, insecureUnlimited } = definition;
  const data = response && registry.output(response, `${operationId}Response`);
  const limits = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
  const headers = ["X-Request-Id", ...(insecureUnlimited === true ? [] : limits)];
  const described = { description: "All is well.", headers: headerReferences(headers) };
  // It has no content (RFC 9110 section 15.3.5).
  if (definition.status === 204) return described;
  return {
    ...described,
    content:
      produces === undefined
        ? { "application/json": enveloped(data, options) }
        : Object.fromEntries(produces.map((type) => [type, { schema: rawSchema(type, data) }])),
  };
}

const rawSchema = (type: string, data: JsonSchema | undefined): JsonSchema =>
  data ?? (/\bjson$/.test(type) ? {} : { type: "string" });

function enveloped(data: JsonSchema | undefined, { paged, registry }: SuccessOptions): MediaType {
  const required = paged ? { required: ["pagination"] } : {};
  const schema = {
    allOf: [
      { $ref: "#/components/schemas/Success" },
      { type: "object", ...required, properties: { data: data ?? {} } },
    ],
  };
  if (data === undefined) return { schema };
  const example = {
    success: true,
    data: exampleOf(data, (each) => registry.resolve(each)),
    ...(paged ? { pagination: ONE_PAGE } : {}),
    meta: META,
  };
  return { schema, example };
}

const ONE_PAGE = { page: 1, limit: 20, total: 1, totalPages: 1, hasNext: false, hasPrev: false };

const META = {
  timestamp: "2027-01-01T12:00:00.000Z",
  version: "1",
  requestId: "01890a5d-ac96-774b-bcce-b302099a8057",
};
