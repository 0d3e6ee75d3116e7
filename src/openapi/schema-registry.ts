import type { StandardJSONSchemaV1 } from "@standard-schema/spec";
import type { Schema } from "../core/index.ts";
import type { JsonSchema } from "./types.ts";

/** What a schema says that cannot say itself as JSON Schema: anything, in words. */
const UNSAID: JsonSchema = Object.freeze({
  description: "Checked by the server; its shape cannot be written as JSON Schema.",
});

/**
 * SchemaRegistry turns Standard Schemas into JSON Schemas, through their own `~standard.jsonSchema`. A named part (`$defs`)
 * is kept once, under `components.schemas`, since a `#/$defs/` reference would point elsewhere in the whole document.
 * A schema that has no JSON Schema, or throws at the asking, is {@link UNSAID}.
 */
export class SchemaRegistry {
  readonly #schemas = new Map<string, JsonSchema>();
  /** The text of a part as it came, so that the same part is kept once. */
  readonly #texts = new Map<string, string>();

  /** Names in `reserved` are not given to parts. */
  constructor(reserved: Iterable<string> = []) {
    for (const name of reserved) this.#texts.set(name, "");
  }

  /** input is the JSON Schema of what a client sends; `owner` names parts whose own name is taken. */
  input(schema: Schema, owner: string): JsonSchema {
    return this.#hoist(convert(schema, "input"), owner);
  }

  /** output is the JSON Schema of what a client gets. */
  output(schema: Schema, owner: string): JsonSchema {
    return this.#hoist(convert(schema, "output"), owner);
  }

  /** resolve follows a reference into the registry; everything else is itself. */
  resolve(schema: JsonSchema): JsonSchema {
    const reference = schema.$ref;
    if (reference === undefined) return schema;
    return this.#schemas.get(reference.slice(COMPONENT.length)) ?? UNSAID;
  }

  /** schemas are all parts so far, by name. */
  schemas(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries(this.#schemas);
  }

  #hoist(schema: JsonSchema, owner: string): JsonSchema {
    const { $schema: _dialect, $defs: parts = {}, ...root } = schema;
    const names = new Map<string, string>();
    for (const [name, part] of Object.entries(parts))
      names.set(name, this.#nameOf(name, part, owner));
    const rename = (reference: string): string => {
      if (reference === "#") return COMPONENT + owner;
      const [, name = "", rest = ""] = /^#\/\$defs\/([^/]+)(.*)$/.exec(reference) ?? [];
      const renamed = names.get(decodePointer(name));
      return renamed === undefined ? reference : COMPONENT + renamed + rest;
    };
    for (const [name, part] of Object.entries(parts)) {
      this.#schemas.set(names.get(name) as string, mapReferences(part, rename) as JsonSchema);
    }
    const rewritten = mapReferences(root, rename) as JsonSchema;
    // A schema that is referred to as a whole (`#`), by itself or by its parts, must stand where it can be.
    if (!JSON.stringify(schema).includes(WHOLE)) return rewritten;
    this.#schemas.set(owner, rewritten);
    return { $ref: COMPONENT + owner };
  }

  #nameOf(name: string, part: JsonSchema, owner: string): string {
    const text = JSON.stringify(part);
    const safe = name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
    // What refers to its owner (`#`) is another part under another owner, though its text is the same.
    const names = text.includes(WHOLE) ? [] : [safe];
    const free = [...names, `${owner}_${safe}`].find((candidate) => {
      const known = this.#texts.get(candidate);
      return known === undefined || known === text;
    });
    const chosen = free ?? `${owner}_${safe}_${this.#texts.size}`;
    this.#texts.set(chosen, text);
    return chosen;
  }
}

const COMPONENT = "#/components/schemas/";
const WHOLE = '"$ref":"#"';

function convert(schema: Schema, side: "input" | "output"): JsonSchema {
  const standard: Partial<StandardJSONSchemaV1.Props> & { readonly vendor: string } =
    schema["~standard"];
  // zod refuses a whole schema for one part that it cannot say; so asked, that part alone is left open.
  const libraryOptions = standard.vendor === "zod" ? { unrepresentable: "any" } : undefined;
  try {
    const json = standard.jsonSchema?.[side]({ target: "draft-2020-12", libraryOptions });
    // As it will be written: a value that JSON does not know throws here, and not where the document is served.
    return json === undefined ? UNSAID : (JSON.parse(JSON.stringify(json)) as JsonSchema);
  } catch {
    return UNSAID;
  }
}

const decodePointer = (text: string): string => text.replaceAll("~1", "/").replaceAll("~0", "~");

function mapReferences(value: unknown, rename: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => mapReferences(each, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" ? rename(inner) : mapReferences(inner, rename),
    ]),
  );
}
