import { ERROR_STATUS } from "../core/index.ts";
import type { JsonSchema } from "./types.ts";

const text = (description: string): JsonSchema => ({ type: "string", description });
const whole = (minimum: number): JsonSchema => ({ type: "integer", minimum });
const requestId = text("The id of this request, as in the header `x-request-id`.");
const timestamp = { type: "string", format: "date-time" };

const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: "object",
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const code = {
  type: "string",
  description: "Stable, for programs.",
  examples: Object.keys(ERROR_STATUS),
};
const details = {
  type: "array",
  maxItems: 50,
  items: { $ref: "#/components/schemas/ErrorDetail" },
};
const violated = {
  type: "array",
  items: { type: "string" },
  description: "The limits that refused.",
};

/** The envelope: what every answer has around its data, and every refusal, in both of its forms. */
export const ENVELOPE_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Meta: object({ timestamp, version: text("Version of the API."), requestId }),
  Pagination: object({
    page: whole(1),
    limit: whole(1),
    total: whole(0),
    totalPages: whole(0),
    hasNext: { type: "boolean" },
    hasPrev: { type: "boolean" },
  }),
  Success: object(
    {
      success: { const: true },
      data: { description: "The resource itself." },
      message: { type: "string" },
      pagination: { $ref: "#/components/schemas/Pagination" },
      meta: { $ref: "#/components/schemas/Meta" },
    },
    ["message", "pagination"],
  ),
  ErrorDetail: object({
    field: text("A dotted path; empty for the input as a whole."),
    message: { type: "string" },
    code: { type: "string" },
  }),
  Error: object(
    {
      success: { const: false },
      error: text("What was wrong, for people."),
      code,
      statusCode: { type: "integer", minimum: 400, maximum: 599 },
      details,
      "violated-policies": violated,
      timestamp,
      meta: object({ requestId, version: { type: "string" } }),
    },
    ["details", "violated-policies"],
  ),
  Problem: {
    ...object(
      {
        type: { type: "string", format: "uri" },
        title: { type: "string" },
        status: { type: "integer", minimum: 400, maximum: 599 },
        detail: text("What was wrong, for people."),
        code,
        requestId,
        timestamp,
        version: { type: "string" },
        details,
        "violated-policies": violated,
      },
      ["details", "violated-policies"],
    ),
    description:
      "The facts of Error as RFC 9457, for a client that accepts application/problem+json.",
  },
};

const header = (description: string, schema: JsonSchema = { type: "string" }) => ({
  description,
  schema,
});

export const SHARED_HEADERS = {
  "X-Request-Id": header("The id of this request, in the log and the audit log too."),
  "X-RateLimit-Limit": header("Requests of the limit that is nearest to refusing.", whole(1)),
  "X-RateLimit-Remaining": header("Requests that it has left.", whole(0)),
  "X-RateLimit-Reset": header("When it is full again.", timestamp),
  "Retry-After": header("Seconds after which to try again.", whole(1)),
  "WWW-Authenticate": header("What to send instead (RFC 6750)."),
};

export const SECURITY_SCHEMES = {
  bearer: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "The access token of a session, as signing in returns it.",
  },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "An API key, within its scopes and its limits.",
  },
};

/** What stands on every path, and so is said once. */
export const ANY_PATH = [
  "Every answer is an envelope with `success`, and carries `x-request-id`. A refusal has a stable `code`; with",
  "`Accept: application/problem+json` it comes as RFC 9457. Besides what an operation lists, any path may answer",
  "404 NOT_FOUND, 405 METHOD_NOT_ALLOWED, 406 NOT_ACCEPTABLE, 408 REQUEST_TIMEOUT, 413 PAYLOAD_TOO_LARGE,",
  "414 URI_TOO_LONG and 431 HEADERS_TOO_LARGE; and 401 UNAUTHORIZED to a credential that is not good, also where none is asked for.",
].join("\n");
