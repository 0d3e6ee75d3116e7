import type { JsonSchema, Parameter } from "../../../openapi/index.ts";
import { type Child, element } from "./dom.ts";
import type { Resolve } from "./operations.ts";

const MAX_DEPTH = 5;

/** schemaView shows a schema: the fields of an object (or of a list's objects), those of each alternative, else its type in one line. */
export function schemaView(schema: JsonSchema, resolve: Resolve, depth = 0): HTMLElement {
  const found = resolve(schema);
  const inner = found.items ?? found;
  const { properties, required = [] } = resolve(inner);
  if (!hasFields(found, resolve) || depth >= MAX_DEPTH) {
    return element("p", { class: "small" }, [typeOf(found, resolve), ...notes(found)].join(" "));
  }
  if (properties === undefined) {
    const many = inner === found ? "One of these:" : "A list; each is one of these:";
    const views = eitherOf(resolve(inner)).map((each) => schemaView(each, resolve, depth + 1));
    return element(
      "div",
      { class: "either" },
      element("p", { class: "small muted" }, many),
      ...views,
    );
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
  const items = schema.items === undefined ? undefined : resolve(schema.items);
  const choices = (schema.enum ?? items?.enum ?? []).map((choice) =>
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

const eitherOf = (schema: JsonSchema): readonly JsonSchema[] => schema.anyOf ?? schema.oneOf ?? [];

/** Whether there are fields to show: an object's, or those of an alternative. */
function hasFields(schema: JsonSchema, resolve: Resolve): boolean {
  const inner = resolve(schema.items ?? schema);
  const either = eitherOf(inner);
  return [inner, ...either].some((each) => resolve(each).properties !== undefined);
}

function typeOf(schema: JsonSchema, resolve: Resolve): string {
  const { type = "any", format, enum: choices, const: fixed, items, prefixItems } = schema;
  if (choices !== undefined) return "one of";
  if (fixed !== undefined) return `always ${JSON.stringify(fixed)}`;
  const namesOf = (some: readonly JsonSchema[]): string[] =>
    some.map((each) => typeOf(resolve(each), resolve));
  const either = eitherOf(schema);
  if (either.length > 0) return [...new Set(namesOf(either))].join(" or ");
  if (prefixItems !== undefined) return `list of exactly: ${namesOf(prefixItems).join(", ")}`;
  if (typeof items === "object") return `list of ${typeOf(resolve(items), resolve)}`;
  const others = schema.additionalProperties;
  if (typeof others === "object" && schema.properties === undefined) {
    return `object, each value: ${typeOf(resolve(others), resolve)}`;
  }
  const name = typeof type === "string" ? type : type.join(" or ");
  return format === undefined ? name : `${name} (${format})`;
}

/** What else a schema demands, in words. A pattern beside a format says the same at length, and is left out. */
function notes(schema: JsonSchema): string[] {
  const { minimum, maximum, minLength, maxLength, pattern, format } = schema;
  const { exclusiveMinimum: over, exclusiveMaximum: under, multipleOf } = schema;
  const isMatched = pattern !== undefined && format === undefined && schema.type === "string";
  const parts = [
    range(minimum, maximum, ""),
    over === undefined ? undefined : `More than ${grouped(over)}`,
    under === undefined ? undefined : `Less than ${grouped(under)}`,
    multipleOf === undefined ? undefined : `A multiple of ${multipleOf}`,
    range(schema.minItems, schema.maxItems, " entries"),
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
