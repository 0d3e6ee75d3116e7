import type { FieldValue } from "./condition.ts";
import type { Comparand, Normal } from "./normal-form.ts";

/** wordsOf is a condition as a person reads it, such as `ownerId is the user and status is not "locked"`. */
export function wordsOf(normal: Normal): string {
  if (normal.kind === "leaf") {
    return `${normal.field} ${normal.negated ? "is not" : "is"} ${comparandWords(normal.comparand)}`;
  }
  if (normal.of.length === 0) return normal.kind === "all" ? "always" : "never";
  const words = normal.of.map((part) =>
    part.kind !== "leaf" && part.of.length > 1 ? `(${wordsOf(part)})` : wordsOf(part),
  );
  return words.join(normal.kind === "all" ? " and " : " or ");
}

function comparandWords(comparand: Comparand): string {
  if (comparand.is !== "values") return `the ${comparand.is}'s id`;
  const values = comparand.values.map(valueWords);
  return values.length === 1 ? (values[0] ?? "") : `one of ${values.join(", ") || "nothing"}`;
}

function valueWords(value: FieldValue): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "string") return JSON.stringify(value);
  return value === null ? "empty" : String(value);
}
