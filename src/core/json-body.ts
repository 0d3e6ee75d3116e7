import { BaseAPIError, type ErrorDetail, ValidationError } from "./errors.ts";

/** JsonLimits are what a JSON body may hold, whatever its bytes are. */
export interface JsonLimits {
  /** Arrays and objects inside each other. Default 32. */
  readonly depth: number;
  /** Keys of all objects together. Default 10,000. */
  readonly keys: number;
  /** Elements of all arrays together. Default 100,000. */
  readonly elements: number;
}

export const JSON_LIMITS: JsonLimits = { depth: 32, keys: 10_000, elements: 100_000 };

/** A BOM is taken off (RFC 8259 section 8.1 lets a reader ignore it); what is not UTF-8 throws. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

const refused = (message: string): BaseAPIError => new BaseAPIError("INVALID_REQUEST", message);

/**
 * parseJson reads JSON in UTF-8. It is stricter than JSON.parse where two readers could understand a text differently, or where a reader
 * can be hurt: an object that names a key twice, `__proto__`, a `prototype` of a `constructor`, a key of a backslash, a number that no double holds, half of a
 * surrogate pair (RFC 7493 sections 2.1 to 2.3).
 * Throws only INVALID_REQUEST, and VALIDATION_ERROR that names the field for the last three; no message quotes a value, which may be a secret.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  const marks = countMarks(bytes, limits);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    // The parser's message quotes the text: it is not kept as a cause.
    throw refused("The body is not valid JSON.");
  }
  marks.visit(value);
  // JSON.parse keeps the last of two keys that are the same, other readers the first.
  if (marks.colons !== 0) throw refused("An object in the body names a key twice.");
  if (marks.elements > limits.elements) {
    throw refused(`The body has more than ${limits.elements} elements in its arrays.`);
  }
  if (marks.isFaulty) throw new ValidationError([faultIn(value, []) as ErrorDetail]);
  return value;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** Brackets and braces differ in this bit alone. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * countMarks passes once over the bytes, before anything is built of them. As long as a text is valid it reads it as JSON.parse does, which
 * stops at the first fault: so it never sees less depth than the parser would reach.
 */
function countMarks(bytes: Uint8Array, limits: JsonLimits): Marks {
  const { length } = bytes;
  let depth = 0;
  let colons = 0;
  let commas = 0;
  let hasEscapedUnit = false;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      // Bytes of a character that takes several are all above those of ASCII.
      for (at += 1; at < length; at += 1) {
        const inside = bytes[at] as number;
        if (inside === QUOTE) break;
        if (inside !== BACKSLASH) continue;
        at += 1;
        if (bytes[at] === LETTER_U) hasEscapedUnit = true;
      }
    } else if (byte === COLON) colons += 1;
    else if (byte === COMMA) commas += 1;
    else if ((byte | BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth > limits.depth) {
        throw refused(`The body is nested deeper than ${limits.depth} levels.`);
      }
    } else if ((byte | BRACE_BIT) === CLOSING) depth -= 1;
  }
  if (colons > limits.keys) throw refused(`The body has more than ${limits.keys} keys.`);
  // Each comma stands before a key or an element: so many would be too many, however they are shared.
  if (commas > limits.keys + limits.elements) {
    throw refused(`The body has more than ${limits.elements} elements in its arrays.`);
  }
  return new Marks(colons, hasEscapedUnit);
}

/** Marks compares what a text announced with what came of it. */
class Marks {
  /** One for each key in the text; visiting takes off those that are there. */
  colons: number;
  elements = 0;
  isFaulty = false;
  readonly #hasEscapedUnit: boolean;

  constructor(colons: number, hasEscapedUnit: boolean) {
    this.colons = colons;
    this.#hasEscapedUnit = hasEscapedUnit;
  }

  /** visit calls itself as deep as the text was nested, which was bounded. */
  visit(value: unknown): void {
    if (typeof value === "string") {
      if (this.#hasEscapedUnit && !value.isWellFormed()) this.isFaulty = true;
    } else if (typeof value === "number") {
      if (isEndless(value)) this.isFaulty = true;
    } else if (typeof value !== "object" || value === null) {
      return;
    } else if (Array.isArray(value)) {
      this.elements += value.length;
      for (const element of value) this.visit(element);
    } else this.#visitObject(value as Readonly<Record<string, unknown>>);
  }

  #visitObject(value: Readonly<Record<string, unknown>>): void {
    // What somebody added to Object.prototype is seen here too: then no body passes.
    for (const key in value) {
      this.colons -= 1;
      const inner = value[key];
      if (isUnsafe(key, inner) || (this.#hasEscapedUnit && !key.isWellFormed())) {
        this.isFaulty = true;
      }
      this.visit(inner);
    }
  }
}

/** Such as 1e999: nothing could be stored or answered of it. */
const isEndless = (value: number): boolean =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;

/**
 * Copied key by key, the first two would reach a prototype. The last is what V8 13.6 (Node 24) makes of any key of one character that is
 * written as an escape, once it has seen a key of a backslash: which of them it was nobody can tell.
 */
const isUnsafe = (key: string, value: unknown): boolean =>
  key === "__proto__" || (key === "constructor" && hasPrototype(value)) || key === "\\";

const hasPrototype = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "prototype");

/** faultIn goes once more over a value that is refused, to say where. */
function faultIn(value: unknown, path: readonly string[]): ErrorDetail | undefined {
  const field = path.join(".");
  // Only an escape can write half of a pair; two texts that differ in it alone would be stored as the same.
  const half = { field, message: "Half of a surrogate pair.", code: "invalid_text" };
  if (typeof value === "string") return value.isWellFormed() ? undefined : half;
  if (typeof value === "number") {
    return isEndless(value)
      ? { field, message: "A number that is out of range.", code: "out_of_range" }
      : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (!key.isWellFormed()) return half;
    const inside = [...path, key];
    if (isUnsafe(key, inner)) {
      const message = "A key that is not taken.";
      return { field: inside.join("."), message, code: "unsafe_key" };
    }
    const fault = faultIn(inner, inside);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
