import { type ErrorDetail, type Principal, ValidationError } from "../core/index.ts";
import type { Subjects } from "./definition.ts";
import type { RuleIndex } from "./rule-index.ts";

const NOTHING: object = Object.freeze({});
const MAX_DETAILS = 50;
const MAX_NAME = 64;

/**
 * fieldsFor lists the fields of an object that a principal may act on: those of the rules that allow it, without those of the rules
 * that deny it. None where the object is denied, and none where it throws.
 */
export function fieldsFor(
  index: RuleIndex,
  subjects: Subjects,
  principal: Principal | undefined,
  action: string,
  subject: string,
  object: object = NOTHING,
): ReadonlySet<string> {
  const open = new Set<string>();
  if (principal === undefined || !Object.hasOwn(subjects, subject)) return open;
  if (!index.decide(principal, action, subject, object)) return open;
  const every = subjects[subject]?.fields ?? [];
  try {
    const about = index
      .rulesOf(action, subject)
      .filter((rule) => rule.isGranted(principal) && rule.isAbout(object, principal));
    for (const { rule, fields } of about) {
      if (rule.effect === "allow") for (const field of fields ?? every) open.add(field);
    }
    for (const { rule, fields } of about) {
      if (rule.effect === "deny") for (const field of fields ?? every) open.delete(field);
    }
    return open;
  } catch {
    return new Set();
  }
}

/** pickFields copies those fields that an object has of its own, and leaves out what it does not let be read. */
export function pickFields(object: object, fields: ReadonlySet<string>): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const field of fields) {
    try {
      if (!Object.hasOwn(object, field)) continue;
      picked[field] = (object as Readonly<Record<string, unknown>>)[field];
    } catch {
      // A getter that throws has nothing to show.
    }
  }
  return picked;
}

/**
 * checkFields copies an input that sets nothing but open fields. Throws a ValidationError only if it is no object, or sets a field that
 * is not known or not open; it names them, at most 50, and no name longer than 64 characters.
 */
export function checkFields(
  input: unknown,
  known: readonly string[],
  open: ReadonlySet<string>,
): Record<string, unknown> {
  const names = namesOf(input);
  const refused = names.filter((name) => !open.has(name));
  if (refused.length > 0) {
    throw new ValidationError(
      refused.slice(0, MAX_DETAILS).map((name) => detailOf(name, known.includes(name))),
    );
  }
  return pickFields(input as object, new Set(names));
}

function namesOf(input: unknown): readonly string[] {
  try {
    if (typeof input === "object" && input !== null && !Array.isArray(input)) {
      return Object.keys(input);
    }
  } catch {
    // An object that does not tell its names is none.
  }
  throw new ValidationError([{ field: "", message: "Expected an object.", code: "invalid_type" }]);
}

const detailOf = (name: string, isKnown: boolean): ErrorDetail => ({
  field: name.slice(0, MAX_NAME),
  message: isKnown ? "You may not set this field." : "There is no such field.",
  code: isKnown ? "forbidden_field" : "unknown_field",
});
