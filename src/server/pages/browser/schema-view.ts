import type { JsonSchema, Parameter } from "../../../openapi/index.ts";
import { type Child, element } from "./dom.ts";
import type { Resolve } from "./operations.ts";

const MAX_DEPTH = 5;

/** schemaView shows a schema: the fields of an object (or of a list's objects), else its type in one line. */
export function schemaView(schema: JsonSchema, resolve: Resolve, depth = 0): HTMLElement {
  const found = resolve(schema);
  const inner = found.items ?? found;
  const { properties, required = [] } = resolve(inner);
  if (properties === undefined || depth >= MAX_DEPTH) {
    return element("p", { class: "small" }, typeOf(found, resolve), ...notes(found));
  }
  const rows = Object.entries(properties).map(([name, property]) => {
    const shown = resolve(property);
    const nested = hasFields(shown, resolve) && schemaView(shown, resolve, depth + 1);
    return row(name, shown, required.includes(name), resolve, nested);
  });
  const list = element("dl", { class: "rows" }, ...rows);
  if (inner === found) return list;
  return element("div", {}, element("p", { class: "small muted" }, "A list; each has:"), list);
}

/** parametersView shows the parameters of an operation. */
export const parametersView = (parameters: readonly Parameter[], resolve: Resolve): HTMLElement =>
  element(
    "dl",
    { class: "rows" },
    ...parameters.map(({ name, required, schema, description, in: place }) =>
      row(
        name,
        description === undefined ? schema : { ...schema, description },
        required,
        resolve,
        undefined,
        place,
      ),
    ),
  );

function row(
  name: string,
  schema: JsonSchema,
  required: boolean,
  resolve: Resolve,
  nested: Child,
  place?: string,
): HTMLElement {
  const { description = "" } = schema;
  const text = [description, ...notes(schema)].join(" ").trim();
  const choices = (schema.enum ?? []).map((choice) =>
    element("code", { class: "choice" }, String(choice)),
  );
  return element(
    "div",
    {},
    element(
      "dt",
      {},
      element("code", {}, name),
      element("span", { class: "small muted" }, typeOf(schema, resolve)),
      place !== undefined && element("span", { class: "small muted" }, `in ${place}`),
      required && element("span", { class: "must" }, "required"),
    ),
    choices.length > 0 && element("dd", {}, ...choices),
    (text !== "" || nested) && element("dd", {}, text, nested),
  );
}

const hasFields = (schema: JsonSchema, resolve: Resolve): boolean =>
  resolve(schema.items ?? schema).properties !== undefined;

function typeOf(schema: JsonSchema, resolve: Resolve): string {
  const { type = "any", format, enum: choices, const: fixed, items } = schema;
  if (choices !== undefined) return "one of";
  if (fixed !== undefined) return `always ${JSON.stringify(fixed)}`;
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) {
    return either.map((each) => typeOf(resolve(each), resolve)).join(" or ");
  }
  if (items !== undefined) return `list of ${typeOf(resolve(items), resolve)}`;
  const name = typeof type === "string" ? type : type.join(" or ");
  return format === undefined ? name : `${name} (${format})`;
}

/** What else a schema demands, in words. A pattern beside a format says the same at length, and is left out. */
function notes(schema: JsonSchema): string[] {
  const { minimum, maximum, minLength, maxLength, pattern, format } = schema;
  const isMatched = pattern !== undefined && format === undefined && schema.type === "string";
  const parts = [
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    isMatched ? `Matches ${pattern}` : undefined,
    schema.default === undefined ? undefined : `Default ${JSON.stringify(schema.default)}`,
  ];
  return parts.filter((part) => part !== undefined).map((part) => `${part}.`);
}

/** A whole number's natural end is no limit to tell. */
function range(least?: number, most = Infinity, unit = ""): string | undefined {
  const isOpen = most >= Number.MAX_SAFE_INTEGER;
  if (least === undefined) return isOpen ? undefined : `At most ${grouped(most)}${unit}`;
  return isOpen
    ? `At least ${grouped(least)}${unit}`
    : `${grouped(least)} to ${grouped(most)}${unit}`;
}

const grouped = (value: number): string => value.toLocaleString("en");
