import type { JsonSchema } from "./types.ts";

const MAX_DEPTH = 6;
const MAX_LISTS = 3;
const MAX_ITEMS = 10;

const FORMATS: Readonly<Record<string, string>> = {
  email: "person@example.com",
  uuid: "01890a5d-ac96-774b-bcce-b302099a8057",
  "date-time": "2027-01-01T12:00:00.000Z",
  date: "2027-01-01",
  uri: "https://example.com/",
  time: "12:00:00Z",
  duration: "PT1H",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  cidrv4: "192.0.2.0/24",
  cidrv6: "2001:db8::/32",
  e164: "+15550100000",
  ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  nanoid: "V1StGXR8_Z5jdHi6B-myT",
};

/** What a pattern of another kind often takes: words, codes, numbers, digests. */
const USUAL = ["text", "Text", "a", "A", "AB", "ABC", "a1", "1", "10", "12:00", "a@b.co", "1.0.0"];
const DIGITS = "0123456789abcdef".repeat(8);

/**
 * exampleOf makes a value of a schema: its own example where it has one, else a small one that its keywords allow;
 * a pattern is tried with what is usual, not solved, so a schema with one of its own kind should bring an example.
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
      // Where a tree comes back to itself, the list of no more ends it.
      return depth >= MAX_LISTS && !found.minItems ? [] : exampleList(found, deeper);
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
  const { properties = {}, required = [], additionalProperties: others } = schema;
  const fields = Object.entries(properties);
  const named = required.filter((name) => !Object.hasOwn(properties, name));
  const shown = [
    ...(required.length === 0 ? fields : fields.filter(([name]) => required.includes(name))),
    // A record by an enumeration requires names that only its other properties describe.
    ...named.map((name) => [name, typeof others === "object" ? others : {}] as const),
  ];
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
  if (multipleOf === undefined) return value;
  // 0.1 * 3 is 0.30000000000000004, which is no multiple of 0.1.
  return Number((Math.ceil(value / multipleOf) * multipleOf).toPrecision(12));
}

const above = (bound: number | undefined): number => (bound === undefined ? -Infinity : bound + 1);
const below = (bound: number | undefined): number => (bound === undefined ? Infinity : bound - 1);

function exampleText(schema: JsonSchema): string {
  const { format = "", minLength = 0, maxLength = Infinity, pattern } = schema;
  const plain = "text".padEnd(minLength, "-").slice(0, maxLength);
  const usual = FORMATS[format] ?? plain;
  const regex = pattern === undefined ? undefined : regexOf(pattern);
  const isTaken = (text: string): boolean =>
    text.length >= minLength && text.length <= maxLength && (regex?.test(text) ?? true);
  return candidates(usual, pattern ?? "").find(isTaken) ?? usual;
}

/** The text that a pattern spells out (`^ab.*`) is among them, and a digest of each usual length. */
const candidates = (usual: string, pattern: string): string[] => [
  usual,
  pattern.replaceAll(/^\^|\.\*|\$$/g, ""),
  ...Object.values(FORMATS),
  ...USUAL,
  ...[8, 32, 40, 64, 96, 128].map((length) => DIGITS.slice(0, length)),
];

function regexOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
