import type { Condition, FieldValue } from "./condition.ts";
import { checkField } from "./field-name.ts";

/** What a field is compared with: the user who acts, the tenant that is acted in, or values. */
export type Comparand =
  | { readonly is: "user" | "tenant" }
  | { readonly is: "values"; readonly values: readonly FieldValue[] };

export interface Leaf {
  readonly kind: "leaf";
  readonly field: string;
  readonly comparand: Comparand;
  readonly negated: boolean;
}

/**
 * A condition whose negations stand at its leaves. The two ways to decide, on an object and in SQL, both start here: what is not
 * known of a leaf can then be taken for the side that refuses, since nothing above a leaf turns it round.
 */
export type Normal =
  | Leaf
  | { readonly kind: "all"; readonly of: readonly Normal[] }
  | { readonly kind: "any"; readonly of: readonly Normal[] };

/** normalize checks a condition, also one that was written without types. Throws a TypeError only if it is none. */
export function normalize(condition: Condition, negated = false): Normal {
  switch (condition?.kind) {
    case "owned":
      return leaf(condition.field, { is: "user" }, negated);
    case "tenant":
      return leaf(condition.field, { is: "tenant" }, negated);
    case "in":
      return leaf(condition.field, { is: "values", values: [...condition.values] }, negated);
    case "not":
      return normalize(condition.of, !negated);
    case "all":
    case "any":
      return {
        // De Morgan.
        kind: (condition.kind === "all") === negated ? "any" : "all",
        of: condition.of.map((part) => normalize(part, negated)),
      };
    default:
      throw new TypeError(
        "where: expected a condition made by ownedBy, inTenant, equals, isIn, allOf, anyOf or not",
      );
  }
}

const leaf = (field: string, comparand: Comparand, negated: boolean): Leaf => ({
  kind: "leaf",
  field: checkField(field, "where"),
  comparand,
  negated,
});

/** fieldsOf lists the fields that a condition reads. */
export const fieldsOf = (normal: Normal): readonly string[] =>
  normal.kind === "leaf" ? [normal.field] : normal.of.flatMap(fieldsOf);
