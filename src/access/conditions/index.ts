export {
  allOf,
  anyOf,
  type Condition,
  equals,
  type FieldValue,
  inTenant,
  isIn,
  not,
  ownedBy,
} from "./condition.ts";
export { allSql, anySql, conditionSql } from "./condition-sql.ts";
export { graphOf, NO, Step, walk, YES } from "./decision-graph.ts";
export { checkField } from "./field-name.ts";
export { fieldsOf, type Normal, normalize } from "./normal-form.ts";
export { wordsOf } from "./words.ts";
