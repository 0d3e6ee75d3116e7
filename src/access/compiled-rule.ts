import type { Principal } from "../core/index.ts";
import {
  checkField,
  fieldsOf,
  graphOf,
  NO,
  type Normal,
  normalize,
  type Step,
  walk,
  wordsOf,
  YES,
} from "./conditions/index.ts";
import { CRUD_ACTIONS, type Subjects } from "./definition.ts";
import type { Holdings } from "./holdings.ts";
import { isPrototypeName, shown } from "./names.ts";
import type { Rule } from "./rule.ts";

/** A rule that was checked and made ready once, so that a decision parses nothing. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly name: string;
  readonly condition: Normal | undefined;
  /** The objects that the rule is not about; undefined where there are none. */
  readonly inverse: Normal | undefined;
  /** Undefined for all that the subject has. */
  readonly fields: ReadonlySet<string> | undefined;
  /** isGranted tells whether the rule is about a principal, before any object is looked at. */
  isGranted(principal: Principal): boolean;
  /** isAbout tells whether it is about an object. It throws what a getter of the object throws. */
  isAbout(object: object, principal: Principal): boolean;
  /** followedBy is the step where a list of rules begins that goes on at `next`, and ends at `yes` if this one is about the object. */
  followedBy(yes: Step, next: Step): Step;
}

/** compileRule checks a rule against its model. Throws a TypeError that names the rule only if it names what the model does not know. */
export function compileRule(
  rule: Rule,
  at: string,
  subjects: Subjects,
  holdings: Holdings,
): CompiledRule {
  checkNames(rule, at, subjects, holdings);
  const condition = rule.where === undefined ? undefined : normalize(rule.where);
  checkFields(rule, at, subjects, condition);
  // What is not known of an object permits nothing, and forbids.
  const unknown = rule.effect === "deny" ? "yes" : "no";
  const followedBy = (yes: Step, no: Step): Step => graphOf(condition, { yes, no, unknown });
  const alone = followedBy(YES, NO);
  return {
    rule,
    name: rule.name ?? sentenceOf(rule, condition),
    condition,
    inverse: rule.where === undefined ? undefined : normalize(rule.where, true),
    fields: rule.fields === undefined ? undefined : new Set(rule.fields),
    isGranted: grantOf(rule, holdings),
    isAbout: (object, principal) => walk(alone, object, principal) === YES,
    followedBy,
  };
}

function grantOf(rule: Rule, holdings: Holdings): CompiledRule["isGranted"] {
  const { permission, roles, exceptRoles = [] } = rule;
  const hasOne = (principal: Principal, of: readonly string[]): boolean =>
    principal.kind !== "tenantKey" && of.some((role) => holdings.hasRole(principal.roles, role));
  if (rule.effect === "deny") {
    return (principal) =>
      (roles === undefined || hasOne(principal, roles)) && !hasOne(principal, exceptRoles);
  }
  if (permission !== undefined) return (principal) => holdings.may(principal, permission);
  // What roles allow is the user's: a key of theirs has its scopes.
  return (principal) =>
    principal.kind === "user" && (roles === undefined || hasOne(principal, roles));
}

/** actionsOf lists what can be done to a subject. */
export const actionsOf = (subjects: Subjects, subject: string): readonly string[] =>
  subjects[subject]?.actions ?? CRUD_ACTIONS;

/** checkSubjects refuses subjects that name nothing. Throws a TypeError that names the subject. */
export function checkSubjects(subjects: Subjects): void {
  for (const [subject, { fields }] of Object.entries(subjects)) {
    checkName(subject, `subjects.${subject}`);
    for (const action of actionsOf(subjects, subject)) {
      checkName(action, `subjects.${subject}.actions`);
    }
    for (const field of fields) checkField(field, `subjects.${subject}.fields`);
  }
}

function checkName(name: string, at: string): void {
  if (/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/.test(name) && !isPrototypeName(name)) return;
  throw new TypeError(`${at}: expected a name, came ${shown(name)}`);
}

function checkNames(rule: Rule, at: string, subjects: Subjects, holdings: Holdings): void {
  const expect = (field: string, known: readonly string[], came: readonly unknown[]): void => {
    const unknown = came.find((name) => typeof name !== "string" || !known.includes(name));
    if (unknown === undefined) return;
    throw new TypeError(
      `${at}.${field}: expected some of ${known.join(", ") || "nothing"}, came ${shown(unknown)}`,
    );
  };
  expect("effect", ["allow", "deny"], [rule?.effect]);
  expect("subject", Object.keys(subjects), [rule.subject]);
  expect("actions", actionsOf(subjects, rule.subject), rule.actions);
  expect("roles", holdings.graph.names, [...(rule.roles ?? []), ...(rule.exceptRoles ?? [])]);
  expect("permission", [...holdings.permissions], present(rule.permission));
  if (rule.actions.length === 0) throw new TypeError(`${at}.actions: expected one, came none`);
  if (rule.permission !== undefined && (rule.effect === "deny" || rule.roles !== undefined)) {
    throw new TypeError(
      `${at}.permission: expected alone, on a rule that allows, came with roles or a denial`,
    );
  }
  if (rule.exceptRoles !== undefined && rule.effect === "allow") {
    throw new TypeError(`${at}.exceptRoles: expected on a denial, came on a rule that allows`);
  }
}

function checkFields(
  rule: Rule,
  at: string,
  subjects: Subjects,
  condition: Normal | undefined,
): void {
  const known = subjects[rule.subject]?.fields ?? [];
  const named = [...(rule.fields ?? []), ...(condition === undefined ? [] : fieldsOf(condition))];
  const unknown = named.find((field) => !known.includes(field));
  if (unknown === undefined) return;
  throw new TypeError(
    `${at}: expected fields of ${rule.subject} (${known.join(", ")}), came ${shown(unknown)}`,
  );
}

function sentenceOf(rule: Rule, condition: Normal | undefined): string {
  const who = rule.permission ?? rule.roles?.join(" or ") ?? "everyone";
  const except = rule.exceptRoles === undefined ? "" : ` except ${rule.exceptRoles.join(" and ")}`;
  const verb = rule.effect === "allow" ? "may" : "may not";
  const fields = rule.fields === undefined ? "" : ` (${rule.fields.join(", ")})`;
  const where = condition === undefined ? "" : ` where ${wordsOf(condition)}`;
  return `${who}${except} ${verb} ${rule.actions.join(", ")} ${rule.subject}${fields}${where}`;
}

const present = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
