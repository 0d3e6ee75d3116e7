import type { AnyRoute } from "../core/index.ts";
import { errorCodes, errorResponses } from "./errors.ts";
import { exampleOf } from "./example.ts";
import { isPaged, pathParameters, queryParameters } from "./parameters.ts";
import type { SchemaRegistry } from "./schema-registry.ts";
import { successResponse } from "./success.ts";
import type { MediaType, Operation, Parameter, PolicyNote } from "./types.ts";

/** operationOf documents one route. */
export function operationOf(
  route: AnyRoute,
  operationId: string,
  registry: SchemaRegistry,
): Operation {
  const { definition, path } = route;
  const { query, body, summary, requireAuth } = definition;
  const parameters: Parameter[] = [
    ...pathParameters(path),
    ...(query === undefined
      ? []
      : queryParameters(registry.input(query, `${operationId}Query`), registry)),
  ];
  const status = String(definition.status ?? 200);
  const paged = isPaged(parameters);
  const success = successResponse({ definition, operationId, paged, registry });
  return {
    operationId,
    tags: [tagOf(path)],
    ...(summary === undefined ? {} : { summary }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              "application/json": bodyOf(registry.input(body, `${operationId}Body`), registry),
            },
          },
        }),
    responses: { [status]: success, ...errorResponses(errorCodes(route)) },
    security: requireAuth ? securityOf(route) : [],
    "x-bulwark-policies": policyNotes(route),
  };
}

function bodyOf(schema: MediaType["schema"] & object, registry: SchemaRegistry): MediaType {
  return { schema, example: exampleOf(schema, (each) => registry.resolve(each)) };
}

/** One of these is enough: the token of a person, or a key, as far as the route lets them in. */
function securityOf({ principals }: AnyRoute): Operation["security"] {
  const people = principals.includes("user");
  const keys = principals.some((kind) => kind !== "user");
  return [...(people ? [{ bearer: [] }] : []), ...(keys ? [{ apiKey: [] }] : [])];
}

/** tagOf is the first segment after `/api`: routes of one resource stand together. */
function tagOf(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "");
  const first = segments[0] === "api" ? segments[1] : segments[0];
  const name = first?.replace(/^[:*]/, "").replace(/\.\w+$/, "");
  return name === undefined || name === "" ? "root" : name;
}

/** policyNotes are the policies as they are stated; what is no JSON of an option, such as a function, is left out. */
function policyNotes({ policies, definition }: AnyRoute): PolicyNote[] {
  const { limits, maxBodyBytes, principals } = definition;
  const stated = { limits, maxBodyBytes, principals };
  const notes = [
    ...policies,
    ...Object.entries(stated)
      .filter(([, options]) => options !== undefined)
      .map(([name, options]) => ({ name, options })),
  ];
  return notes.map(({ name, options }) => {
    const json = jsonOf(options);
    return json === undefined ? { name } : { name, options: json };
  });
}

function jsonOf(value: unknown): unknown {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
