import { checkField } from "./field-name.ts";

/** What a field may be compared with. Dates are compared by their millisecond, everything else strictly. */
export type FieldValue = string | number | bigint | boolean | Date | null;

/** Condition says of an object, as data, whether a rule applies to it. `F` is the names of the fields that it reads. */
export type Condition<F extends string = string> =
  | { readonly kind: "owned"; readonly field: F }
  | { readonly kind: "tenant"; readonly field: F }
  | { readonly kind: "in"; readonly field: F; readonly values: readonly FieldValue[] }
  | { readonly kind: "all"; readonly of: readonly Condition<F>[] }
  | { readonly kind: "any"; readonly of: readonly Condition<F>[] }
  | { readonly kind: "not"; readonly of: Condition<F> };

/** ownedBy holds where the field is the id of the user who acts. Null owns nothing, and nobody without a user owns anything. */
export const ownedBy = <const F extends string>(field: F): Condition<F> => ({
  kind: "owned",
  field: checkField(field, "ownedBy"),
});

/** inTenant holds where the field is the id of the tenant that is acted in. */
export const inTenant = <const F extends string>(field: F): Condition<F> => ({
  kind: "tenant",
  field: checkField(field, "inTenant"),
});

/** equals holds where the field has this value; null means that it has none. Throws a TypeError only if nothing can equal the value. */
export const equals = <const F extends string>(field: F, value: FieldValue): Condition<F> => ({
  kind: "in",
  field: checkField(field, "equals"),
  values: [checkValue(value, "equals")],
});

/** isIn holds where the field has one of the values; with none it never does. */
export const isIn = <const F extends string>(
  field: F,
  values: readonly FieldValue[],
): Condition<F> => ({
  kind: "in",
  field: checkField(field, "isIn"),
  values: values.map((value) => checkValue(value, "isIn")),
});

/** allOf holds where every condition does; with none it always does. */
export const allOf = <const F extends string>(...of: readonly Condition<F>[]): Condition<F> => ({
  kind: "all",
  of,
});

/** anyOf holds where one of the conditions does; with none it never does. */
export const anyOf = <const F extends string>(...of: readonly Condition<F>[]): Condition<F> => ({
  kind: "any",
  of,
});

/** not holds where the condition does not. Of an object that lacks the field that is asked for, neither is known, so that neither permits. */
export const not = <const F extends string>(of: Condition<F>): Condition<F> => ({
  kind: "not",
  of,
});

function checkValue(value: FieldValue, where: string): FieldValue {
  const isUsable =
    value === null ||
    (typeof value === "number" && Number.isFinite(value)) ||
    (value instanceof Date && !Number.isNaN(value.getTime())) ||
    ["string", "boolean", "bigint"].includes(typeof value);
  if (isUsable) return value;
  throw new TypeError(
    `${where}: value: expected a text, a finite number, a bigint, a boolean, a valid date or null, came ${typeof value}`,
  );
}
