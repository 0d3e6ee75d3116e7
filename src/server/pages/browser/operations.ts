import type {
  JsonSchema,
  OpenApiDocument,
  Operation,
  ResponseObject,
} from "../../../openapi/index.ts";

/** One operation of the document, with the path and method that it stands under. */
export interface Entry extends Operation {
  readonly method: string;
  readonly path: string;
}

/** entriesOf lists the operations in the order of the document. */
export const entriesOf = (document: OpenApiDocument): Entry[] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );

/** byTag groups the operations, in the order of the document's tags. */
export const byTag = (
  document: OpenApiDocument,
  entries: readonly Entry[],
): (readonly [tag: string, entries: readonly Entry[]])[] =>
  document.tags
    .map(({ name }) => [name, entries.filter(({ tags }) => tags[0] === name)] as const)
    .filter(([, some]) => some.length > 0);

/** matches tells whether every word of a search stands somewhere in an operation's method, path, tags, summary or id. */
export function matches(entry: Entry, search: string): boolean {
  const text = [entry.method, entry.path, entry.summary ?? "", entry.operationId, ...entry.tags]
    .join(" ")
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** needsToken tells whether an operation asks for a signed-in caller. */
export const needsToken = (entry: Entry): boolean => entry.security.length > 0;

/** resolver follows the document's references; a broken one is an empty object. */
export const resolver =
  (document: OpenApiDocument) =>
  <T extends object = JsonSchema>(value: object): T => {
    const { $ref } = value as { readonly $ref?: unknown };
    if (typeof $ref !== "string") return value as T;
    let found: unknown = document;
    for (const key of $ref.slice(2).split("/")) {
      found = (found as Readonly<Record<string, unknown>> | undefined)?.[key];
    }
    return (found ?? {}) as T;
  };

export type Resolve = ReturnType<typeof resolver>;

/** dataSchema is what a JSON answer has: the schema of its `data` where it is an envelope, else of the whole. */
export function dataSchema(response: ResponseObject): JsonSchema | undefined {
  const schema = response.content?.["application/json"]?.schema;
  return schema?.allOf?.[1]?.properties?.["data"] ?? schema;
}
