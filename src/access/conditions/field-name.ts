import { isPrototypeName } from "../names.ts";

const FIELD = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

/** checkField returns the name of a field. Throws a TypeError only if it is none, or a name that every object has. */
export function checkField<F extends string>(field: F, where: string): F {
  if (typeof field === "string" && FIELD.test(field) && !isPrototypeName(field)) return field;
  throw new TypeError(
    `${where}: field: expected the name of a field, came ${JSON.stringify(field)}`,
  );
}
