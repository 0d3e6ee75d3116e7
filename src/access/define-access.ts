import { ForbiddenError, type Principal, wrapper } from "../core/index.ts";
import type { AccessModel } from "./access-model.ts";
import {
  type AuthorizeOptions,
  functionStage,
  missing,
  type ObjectPolicy,
  objectStage,
  onlyAction,
  type PolicyFunction,
  ruleDecision,
} from "./authorize.ts";
import { actionsOf, type CompiledRule, checkSubjects, compileRule } from "./compiled-rule.ts";
import type { AccessDefinition, Subjects } from "./definition.ts";
import { explain } from "./explain.ts";
import { checkFields, fieldsFor, pickFields } from "./field-access.ts";
import { Holdings } from "./holdings.ts";
import { isPermissionName, shown } from "./names.ts";
import { roleGraph } from "./role-graph.ts";
import { rowFilter } from "./row-filter.ts";
import type { Rule } from "./rule.ts";
import { RuleIndex } from "./rule-index.ts";
import { type Admitted, requirePermissions, requireRoles, requireScopes } from "./stages.ts";

/**
 * defineAccess makes the model of who may do what. Unknown names are errors of the compiler, and here: throws a TypeError that names the
 * entry only if a name is malformed, unknown or one that every object has, or if roles include each other.
 */
export function defineAccess<
  const P extends `${string}:${string}`,
  const R extends string,
  const S extends Subjects = Record<never, never>,
  const X extends string = never,
>(definition: AccessDefinition<P, R, S, X>): AccessModel<P, R, S, X> {
  return modelOf(definition as unknown as Definition) as unknown as AccessModel<P, R, S, X>;
}

type Definition = AccessDefinition<string, string, Subjects, string>;

function modelOf(definition: Definition): AccessModel {
  const { permissions, scopes = [], subjects = {}, explainRefusals = false } = definition;
  checkPermissions(permissions, "permissions");
  checkPermissions(scopes, "scopes");
  checkSubjects(subjects);
  const graph = roleGraph(definition.roles, permissions);
  const holdings = new Holdings(graph, permissions, scopes);
  const compile = (rule: Rule, at: string): CompiledRule =>
    compileRule(rule, at, subjects, holdings);
  const rules = (definition.rules ?? []).map((rule, at) => compile(rule, `rules[${at}]`));
  const index = new RuleIndex(rules, holdings);
  const decide = index.decide.bind(index);

  const objectPolicyOf = (
    policy: Rule | { readonly action: string; readonly subject: string },
    options: AuthorizeOptions,
  ): ObjectPolicy => {
    if (!("effect" in policy)) return modelPolicy(policy, subjects, index);
    return rulePolicy(compile(policy, "authorize"), index, options);
  };

  return {
    roles: graph.names,
    permissions: [...permissions],
    scopes: [...holdings.scopes],
    isRole: (name): name is string => typeof name === "string" && graph.closures.has(name),
    isPermission: (name): name is string =>
      typeof name === "string" && holdings.permissions.has(name),

    requireRoles: (...roles) => requireRoles(holdings, explainRefusals, roles, false),
    requireAllRoles: (...roles) => requireRoles(holdings, explainRefusals, roles, true),
    requirePermissions: (...names) => requirePermissions(holdings, explainRefusals, names),
    requireScopes: (...names) => requireScopes(holdings, explainRefusals, names),
    authorize: (
      policy: PolicyFunction | Rule | { action: string; subject: string },
      options = {},
    ) =>
      wrapper<Admitted>(
        typeof policy === "function"
          ? functionStage(policy, explainRefusals, options)
          : objectStage(objectPolicyOf(policy, options), index, explainRefusals, options),
      ),

    can: decide,
    couldEver: (principal, action, subject) => {
      const about = index.rulesOf(action, subject).filter((rule) => isAbout(rule, principal));
      const isRuledOut = about.some(
        ({ rule, condition, fields }) =>
          rule.effect === "deny" && condition === undefined && fields === undefined,
      );
      return !isRuledOut && about.some(({ rule }) => rule.effect === "allow");
    },
    explain: (principal, action, subject, object) =>
      explain(index.rulesOf(action, subject), principal, action, subject, object),
    assert: ({ principal }, action, subject, object, { secret = false } = {}) => {
      if (object === undefined || object === null) throw missing(subject);
      if (decide(principal, action, subject, object)) return object;
      const isHidden = secret && !decide(principal, "read", subject, object);
      throw isHidden ? missing(subject) : new ForbiddenError("You may not do this.");
    },
    filter: ({ principal }, action, subject, table) =>
      rowFilter(index.rulesOf(action, subject), principal, table),

    readable: (principal, subject, object) =>
      pickFields(object, fieldsFor(index, subjects, principal, "read", subject, object)),
    writable: (principal, action, subject, input, object) =>
      checkFields(
        input,
        subjects[subject]?.fields ?? [],
        fieldsFor(index, subjects, principal, action, subject, object),
      ),

    rolesOf: (principal) => holdings.rolesOf(principal),
    permissionsOf: (principal) => holdings.permissionsOf(principal),
    permissionsOfRoles: (holder) => permissions.filter((name) => holdings.userMay(holder, name)),
    scopesFor: (holder) => holdings.scopesFor(holder),
  } as AccessModel;
}

const isAbout = (rule: CompiledRule, principal: Principal | undefined): boolean =>
  principal !== undefined && rule.isGranted(principal);

function checkPermissions(names: readonly unknown[], at: string): void {
  for (const [index, name] of names.entries()) {
    if (isPermissionName(name) && names.indexOf(name) === index) continue;
    throw new TypeError(
      `${at}[${index}]: expected a name such as products:delete, once, came ${shown(name)}`,
    );
  }
}

/** The model's rules decide; a condition among them that no object answers denies. */
function modelPolicy(
  { action, subject }: { readonly action: string; readonly subject: string },
  subjects: Subjects,
  index: RuleIndex,
): ObjectPolicy {
  if (!Object.hasOwn(subjects, subject) || !actionsOf(subjects, subject).includes(action)) {
    throw new TypeError(
      `authorize: expected an action and a subject of the model, came ${shown(action)} and ${shown(subject)}`,
    );
  }
  return {
    name: `${action} ${subject}`,
    action,
    subject,
    decide: (principal, object) => index.decide(principal, action, subject, object),
  };
}

function rulePolicy(
  rule: CompiledRule,
  index: RuleIndex,
  { object }: AuthorizeOptions,
): ObjectPolicy {
  if (rule.rule.effect !== "allow") {
    throw new TypeError("authorize: expected a rule that allows, came a denial");
  }
  if (rule.condition !== undefined && object === undefined) {
    throw new TypeError(`authorize: object: expected for "${rule.name}", which has a condition`);
  }
  const action = onlyAction(rule.rule.actions);
  const { subject } = rule.rule;
  return { name: rule.name, action, subject, decide: ruleDecision(rule, index, action) };
}
