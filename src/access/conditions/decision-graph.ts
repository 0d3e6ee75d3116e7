import type { Principal } from "../../core/index.ts";
import type { FieldValue } from "./condition.ts";
import type { Leaf, Normal } from "./normal-form.ts";

type Answers = Readonly<Record<"same" | "other" | "unknown", Step>>;

interface Question {
  readonly kind: "end" | "user" | "tenant" | "value" | "few" | "many";
  readonly field?: string;
  /** Of `value`: the one. */
  readonly value?: FieldValue | undefined;
  /** Of `few` and `many`: those that are no dates. */
  readonly values?: readonly FieldValue[];
  /** Of `many`: the milliseconds of those that are. */
  readonly times?: readonly number[];
}

/** So many values are found sooner one by one than in a set. */
const FEW = 8;

/**
 * Step is a question about one field of an object, and where each answer leads; or an end, which asks nothing. All rules about one thing
 * are one graph of steps. All steps have the same shape and one loop walks them: what is the same code on the same shape, a JavaScript
 * engine runs several times as fast as a closure of each rule.
 */
export class Step {
  readonly kind: Question["kind"];
  readonly field: string;
  readonly value: FieldValue | undefined;
  readonly values: readonly FieldValue[];
  readonly set: ReadonlySet<unknown>;
  readonly times: readonly number[];
  readonly same: Step;
  readonly other: Step;
  /** Where the object does not have the field of its own, or has it undefined. */
  readonly unknown: Step;

  constructor({ kind, field = "", value, values = [], times = [] }: Question, answers?: Answers) {
    this.kind = kind;
    this.field = field;
    this.value = value;
    this.values = values;
    this.set = new Set(values);
    this.times = times;
    this.same = answers?.same ?? this;
    this.other = answers?.other ?? this;
    this.unknown = answers?.unknown ?? this;
  }
}

/** The ends of a rule, or of several, that are about an object and that are not. */
export const YES = new Step({ kind: "end" });
export const NO = new Step({ kind: "end" });

/** Where a condition leads. */
export interface Ways {
  readonly yes: Step;
  readonly no: Step;
  /** What is not known of an object: `no` where the condition permits, `yes` where it forbids. */
  readonly unknown: "yes" | "no";
}

/** graphOf compiles a condition; none at all always holds. */
export function graphOf(normal: Normal | undefined, ways: Ways): Step {
  if (normal === undefined) return ways.yes;
  if (normal.kind === "leaf") return stepOf(normal, ways);
  // Each part leads to the next one, unless it decides.
  return normal.of.reduceRight(
    (next, part) =>
      graphOf(part, normal.kind === "all" ? { ...ways, yes: next } : { ...ways, no: next }),
    normal.kind === "all" ? ways.yes : ways.no,
  );
}

/** walk follows the answers of an object to an end. It throws what a getter of the object throws. */
export function walk(start: Step, object: object, principal: Principal): Step {
  let step = start;
  while (step.kind !== "end") {
    const { field, unknown } = step;
    const value = (object as Readonly<Record<string, unknown>>)[field];
    const next = isSame(step, value, principal) ? step.same : step.other;
    // What stands on the prototype, polluted or not, says nothing of the object.
    const isKnown = next === unknown || (value !== undefined && Object.hasOwn(object, field));
    step = isKnown ? next : unknown;
  }
  return step;
}

function stepOf({ field, comparand, negated }: Leaf, ways: Ways): Step {
  const answers = {
    same: negated ? ways.no : ways.yes,
    other: negated ? ways.yes : ways.no,
    unknown: ways[ways.unknown],
  };
  if (comparand.is !== "values") return new Step({ kind: comparand.is, field }, answers);
  const [only] = comparand.values;
  if (comparand.values.length === 1 && !(only instanceof Date)) {
    return new Step({ kind: "value", field, value: only }, answers);
  }
  const values = comparand.values.filter((value) => !(value instanceof Date));
  const times = comparand.values.flatMap((value) =>
    value instanceof Date ? [value.getTime()] : [],
  );
  const kind = times.length === 0 && values.length <= FEW ? "few" : "many";
  return new Step({ kind, field, values, times }, answers);
}

function isSame(step: Step, value: unknown, principal: Principal): boolean {
  const { kind } = step;
  if (kind === "value") return value === step.value;
  if (kind === "user") {
    return (
      principal.kind !== "tenantKey" && typeof value === "string" && value === principal.userId
    );
  }
  if (kind === "tenant") return typeof value === "string" && value === principal.tenantId;
  if (kind === "few") return isOneOf(step.values, value);
  return value instanceof Date ? step.times.includes(value.getTime()) : step.set.has(value);
}

function isOneOf(values: readonly unknown[], value: unknown): boolean {
  for (let i = 0; i < values.length; i += 1) if (values[i] === value) return true;
  return false;
}
