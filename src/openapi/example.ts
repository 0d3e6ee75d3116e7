import type { JsonSchema } from "./types.ts";

const MAX_DEPTH = 6;
const MAX_ITEMS = 10;

const FORMATS: Readonly<Record<string, string>> = {
  email: "person@example.com",
  uuid: "01890a5d-ac96-774b-bcce-b302099a8057",
  "date-time": "2027-01-01T12:00:00.000Z",
  date: "2027-01-01",
  uri: "https://example.com/",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

/**
 * exampleOf makes a value of a schema: its own example where it has one, else a small one that its keywords allow;
 * a pattern is not solved, so a schema with one should bring an example.
 */
export function exampleOf(
  schema: JsonSchema,
  resolve: (schema: JsonSchema) => JsonSchema,
  depth = 0,
): unknown {
  const found = resolve(schema);
  const own = givenExample(found);
  if (own !== undefined) return own;
  if (depth >= MAX_DEPTH) return null;
  const deeper = (inner: JsonSchema): unknown => exampleOf(inner, resolve, depth + 1);
  const [first] = found.anyOf ?? found.oneOf ?? [];
  if (first !== undefined) return deeper(first);
  if (found.allOf !== undefined) return Object.assign({}, ...found.allOf.map(deeper));
  const [type] = typeof found.type === "string" ? [found.type] : (found.type ?? []);
  switch (type) {
    case "object":
      return exampleObject(found, deeper);
    case "array":
      return exampleList(found, deeper);
    case "string":
      return exampleText(found);
    case "integer":
    case "number":
      return exampleNumber(found);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function givenExample(schema: JsonSchema): unknown {
  const { examples, example, const: fixed, default: usual, enum: choices } = schema;
  return examples?.[0] ?? example ?? fixed ?? usual ?? choices?.[0];
}

/** The required fields; all of them where none is, as in a change of some. */
function exampleObject(schema: JsonSchema, deeper: (inner: JsonSchema) => unknown): unknown {
  const { properties = {}, required = [] } = schema;
  const fields = Object.entries(properties);
  const shown = required.length === 0 ? fields : fields.filter(([name]) => required.includes(name));
  return Object.fromEntries(shown.map(([name, property]) => [name, deeper(property)]));
}

/** One item, or as many as the least; a tuple's each by its own schema. */
function exampleList(schema: JsonSchema, deeper: (inner: JsonSchema) => unknown): unknown[] {
  const { items, prefixItems = [], minItems = 1 } = schema;
  const first = prefixItems.map(deeper);
  // A closed tuple says `items: false`.
  if (typeof items !== "object") return first;
  const more = Math.min(Math.max(minItems - first.length, 0), MAX_ITEMS);
  return [...first, ...Array.from({ length: more }, () => deeper(items))];
}

/** 1 where it is allowed, else what is nearest to it: a bound such as the least safe integer shows nobody anything. */
function exampleNumber(schema: JsonSchema): number {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema;
  const whole = schema.type === "integer";
  const low = Math.max(minimum ?? -Infinity, whole ? above(exclusiveMinimum) : -Infinity);
  const high = Math.min(maximum ?? Infinity, whole ? below(exclusiveMaximum) : Infinity);
  const over = exclusiveMinimum ?? -Infinity;
  const under = exclusiveMaximum ?? Infinity;
  let value = Math.min(Math.max(multipleOf ?? 1, low), high);
  if (value <= over) value = under === Infinity ? over + 1 : (over + under) / 2;
  if (value >= under) value = over === -Infinity ? under - 1 : (over + under) / 2;
  return multipleOf === undefined ? value : Math.ceil(value / multipleOf) * multipleOf;
}

const above = (bound: number | undefined): number => (bound === undefined ? -Infinity : bound + 1);
const below = (bound: number | undefined): number => (bound === undefined ? Infinity : bound - 1);

function exampleText(schema: JsonSchema): string {
  const { format = "", minLength = 0, maxLength } = schema;
  return FORMATS[format] ?? "text".padEnd(minLength, "-").slice(0, maxLength);
}
