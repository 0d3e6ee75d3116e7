import type { Principal } from "../../core/index.ts";
import type { FieldValue } from "./condition.ts";
import type { Comparand, Leaf, Normal } from "./normal-form.ts";

/** Matcher decides on one object. It throws what a getter of the object throws. */
export type Matcher = (object: object, principal: Principal) => boolean;

type Test = (value: unknown, principal: Principal) => boolean;

/**
 * matcherOf compiles a condition. A field that the object does not have of its own, or that is undefined, is not known:
 * its leaf then is `whenUnknown`, false where the condition permits and true where it forbids.
 */
export function matcherOf(normal: Normal, whenUnknown: boolean): Matcher {
  if (normal.kind === "leaf") return matchLeaf(normal, whenUnknown);
  const parts = normal.of.map((part) => matcherOf(part, whenUnknown));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  // What ends the search: a part that holds, of `any`; one that does not, of `all`.
  const isAny = normal.kind === "any";
  return (object, principal) => {
    for (const part of parts) if (part(object, principal) === isAny) return isAny;
    return !isAny;
  };
}

function matchLeaf({ field, comparand, negated }: Leaf, whenUnknown: boolean): Matcher {
  const test = testOf(comparand);
  return (object, principal) => {
    // What stands on the prototype, polluted or not, says nothing of the object.
    if (!Object.hasOwn(object, field)) return whenUnknown;
    const value = (object as Readonly<Record<string, unknown>>)[field];
    if (value === undefined) return whenUnknown;
    return test(value, principal) !== negated;
  };
}

function testOf(comparand: Comparand): Test {
  switch (comparand.is) {
    case "user":
      return (value, principal) =>
        principal.kind !== "tenantKey" && typeof value === "string" && value === principal.userId;
    case "tenant":
      return (value, principal) => typeof value === "string" && value === principal.tenantId;
    case "values":
      return testValues(comparand.values);
  }
}

function testValues(values: readonly FieldValue[]): Test {
  const times = new Set<number>();
  const plain = new Set<unknown>();
  for (const value of values) {
    if (value instanceof Date) times.add(value.getTime());
    else plain.add(value);
  }
  const [only] = plain;
  if (plain.size === 1 && times.size === 0) return (value) => value === only;
  return (value) => (value instanceof Date ? times.has(value.getTime()) : plain.has(value));
}
