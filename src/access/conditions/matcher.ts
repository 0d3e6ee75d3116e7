import type { Principal } from "../../core/index.ts";
import type { FieldValue } from "./condition.ts";
import type { Leaf, Normal } from "./normal-form.ts";

/**
 * Matcher is a condition made ready for decisions. All have the same shape, and one function walks them: what is the same code on the same
 * shape, a JavaScript engine runs several times as fast as a closure of each rule.
 */
export interface Matcher {
  readonly kind: "all" | "any" | "user" | "tenant" | "value" | "values";
  readonly isLeaf: boolean;
  readonly of: readonly Matcher[];
  readonly field: string;
  /** Of `value`: the one. */
  readonly value: FieldValue | undefined;
  /** Of `values`: those that are no dates. */
  readonly values: ReadonlySet<unknown>;
  /** Of `values`: the milliseconds of those that are. */
  readonly times: readonly number[];
  readonly negated: boolean;
  readonly whenUnknown: boolean;
}

const EMPTY: ReadonlySet<unknown> = new Set();

/** Made at one place, so that an engine sees one shape. */
const make = (parts: Partial<Matcher>): Matcher => ({
  kind: parts.kind ?? "all",
  isLeaf: parts.isLeaf ?? false,
  of: parts.of ?? [],
  field: parts.field ?? "",
  value: parts.value,
  values: parts.values ?? EMPTY,
  times: parts.times ?? [],
  negated: parts.negated ?? false,
  whenUnknown: parts.whenUnknown ?? false,
});

/** ALWAYS matches every object. */
export const ALWAYS: Matcher = make({});

/**
 * matcherOf compiles a condition. A field that the object does not have of its own, or that is undefined, is not known:
 * its leaf then is `whenUnknown`, false where the condition permits and true where it forbids.
 */
export function matcherOf(normal: Normal, whenUnknown: boolean): Matcher {
  if (normal.kind === "leaf") return leafOf(normal, whenUnknown);
  const of = normal.of.map((part) => matcherOf(part, whenUnknown));
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : make({ kind: normal.kind, of });
}

function leafOf({ field, comparand, negated }: Leaf, whenUnknown: boolean): Matcher {
  const leaf = { isLeaf: true, field, negated, whenUnknown };
  if (comparand.is !== "values") return make({ ...leaf, kind: comparand.is });
  const { values } = comparand;
  const [only] = values;
  if (values.length === 1 && !(only instanceof Date)) {
    return make({ ...leaf, kind: "value", value: only });
  }
  return make({
    ...leaf,
    kind: "values",
    values: new Set(values.filter((value) => !(value instanceof Date))),
    times: values.flatMap((value) => (value instanceof Date ? value.getTime() : [])),
  });
}

/** matches decides on one object. It throws what a getter of the object throws. */
export function matches(matcher: Matcher, object: object, principal: Principal): boolean {
  const { of, field } = matcher;
  if (!matcher.isLeaf) {
    // What ends the search: a part that holds, of `any`; one that does not, of `all`.
    const isAny = matcher.kind === "any";
    for (let i = 0; i < of.length; i += 1) {
      if (matches(of[i] as Matcher, object, principal) === isAny) return isAny;
    }
    return !isAny;
  }
  const value = (object as Readonly<Record<string, unknown>>)[field];
  const holds = isMatch(matcher, value, principal) !== matcher.negated;
  if (holds === matcher.whenUnknown) return holds;
  // What stands on the prototype, polluted or not, says nothing of the object.
  return value !== undefined && Object.hasOwn(object, field) ? holds : matcher.whenUnknown;
}

/** matchesOne tells whether one of several matches. */
export function matchesOne(
  matchers: readonly Matcher[],
  object: object,
  principal: Principal,
): boolean {
  for (let i = 0; i < matchers.length; i += 1) {
    if (matches(matchers[i] as Matcher, object, principal)) return true;
  }
  return false;
}

function isMatch(leaf: Matcher, value: unknown, principal: Principal): boolean {
  const { kind } = leaf;
  if (kind === "value") return value === leaf.value;
  if (kind === "user") {
    return (
      principal.kind !== "tenantKey" && typeof value === "string" && value === principal.userId
    );
  }
  if (kind === "tenant") return typeof value === "string" && value === principal.tenantId;
  if (leaf.times.length === 0) return leaf.values.has(value);
  return value instanceof Date ? leaf.times.includes(value.getTime()) : leaf.values.has(value);
}
