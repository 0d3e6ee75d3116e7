import type { JsonSchema } from "./types.ts";

const MAX_DEPTH = 6;

const FORMATS: Readonly<Record<string, string>> = {
  email: "person@example.com",
  uuid: "01890a5d-ac96-774b-bcce-b302099a8057",
  "date-time": "2027-01-01T12:00:00.000Z",
  date: "2027-01-01",
  uri: "https://example.com/",
};

/** exampleOf makes a value of a schema: its own example where it has one, else the smallest that its keywords ask for. */
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
      return found.items === undefined ? [] : [deeper(found.items)];
    case "string":
      return exampleText(found);
    case "integer":
    case "number":
      return found.minimum ?? 1;
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

function exampleText(schema: JsonSchema): string {
  const { format = "", minLength = 0 } = schema;
  return FORMATS[format] ?? "text".padEnd(minLength, "-");
}
