import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { NO, type Step, walk, YES } from "./conditions/index.ts";
import type { Holdings } from "./holdings.ts";
import { RoleTable } from "./role-table.ts";
import { type Entry, entryOf, type User } from "./rule-entry.ts";

const NONE: readonly CompiledRule[] = [];
const NOTHING: object = Object.freeze({});

/** RuleIndex decides by the rules of a model. A decision looks at the rules of its subject, action and roles alone, and allocates nothing. */
export class RuleIndex {
  readonly #holdings: Holdings;
  /** By subject and action. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #roles: RoleTable;

  constructor(rules: readonly CompiledRule[], holdings: Holdings) {
    this.#holdings = holdings;
    const roles = holdings.graph.names;
    const actions = new Map<string, Set<string>>();
    for (const { rule } of rules) {
      actions.set(rule.subject, new Set([...(actions.get(rule.subject) ?? []), ...rule.actions]));
    }
    for (const [subject, names] of actions) {
      const about = rules.filter(({ rule }) => rule.subject === subject);
      const entries = [...names].map((action): [string, Entry] => [
        action,
        entryOf(
          about.filter(({ rule }) => rule.actions.includes(action)),
          roles,
        ),
      ]);
      this.#entries.set(subject, new Map(entries));
    }
    this.#roles = new RoleTable(this.#entries, roles);
  }

  /** rulesOf lists the rules of an action on a subject, in the order of the model. */
  rulesOf(action: string, subject: string): readonly CompiledRule[] {
    return this.#entryOf(action, subject)?.all ?? NONE;
  }

  /**
   * decide tells whether a principal may do an action to an object; without one, to any object whatever it is. An error that the
   * object throws denies.
   */
  decide(
    principal: Principal | undefined,
    action: string,
    subject: string,
    object: object = NOTHING,
  ): boolean {
    if (principal === undefined) return false;
    try {
      if (principal.kind === "user" && principal.roles.length <= 1) {
        const start = this.#roles.startOf(principal.roles[0], action, subject);
        if (start === undefined) return false;
        const end = walk(start, object, principal);
        return (
          end === YES || (end === NO && this.#isUserPermitted(principal, action, subject, object))
        );
      }
      return this.#isAllowed(principal, action, subject, object);
    } catch {
      return false;
    }
  }

  /** isDenied tells whether a denial of whole objects is about this one. It throws what the object throws. */
  isDenied(principal: Principal, action: string, subject: string, object: object): boolean {
    const entry = this.#entryOf(action, subject);
    return entry !== undefined && isDenied(entry, principal, object);
  }

  #entryOf(action: string, subject: string): Entry | undefined {
    return this.#entries.get(subject)?.get(action);
  }

  #isUserPermitted(user: User, action: string, subject: string, object: object): boolean {
    if (user.permissions === undefined || user.permissions.length === 0) return false;
    const entry = this.#entryOf(action, subject);
    return entry !== undefined && isPermitted(entry, user, object);
  }

  #isAllowed(principal: Principal, action: string, subject: string, object: object): boolean {
    const entry = this.#entryOf(action, subject);
    return (
      entry !== undefined &&
      !isDenied(entry, principal, object) &&
      (principal.kind === "user"
        ? isUserAllowed(entry, principal, object)
        : this.#isKeyAllowed(entry, principal, object))
    );
  }

  #isKeyAllowed(
    entry: Entry,
    principal: Exclude<Principal, { kind: "user" }>,
    object: object,
  ): boolean {
    for (const scope of principal.scopes) {
      const rules = entry.byPermission.get(scope);
      if (rules === undefined || !this.#holdings.may(principal, scope)) continue;
      if (walk(rules, object, principal) === YES) return true;
    }
    return false;
  }
}

function isDenied(entry: Entry, principal: Principal, object: object): boolean {
  if (walk(entry.denials, object, principal) === YES) return true;
  for (const denial of entry.denialsWithExceptions) {
    if (denial.isGranted(principal) && denial.isAbout(object, principal)) return true;
  }
  if (entry.denialsByRole.size === 0 || principal.kind === "tenantKey") return false;
  return isAboutOne(entry.denialsByRole, principal.roles, object, principal);
}

const isUserAllowed = (entry: Entry, user: User, object: object): boolean =>
  isAboutOne(entry.byRole, user.roles, object, user) ||
  walk(entry.everyUser, object, user) === YES ||
  isPermitted(entry, user, object);

const isPermitted = (entry: Entry, user: User, object: object): boolean =>
  user.permissions !== undefined && isAboutOne(entry.byPermission, user.permissions, object, user);

function isAboutOne(
  graphs: ReadonlyMap<string, Step>,
  names: readonly string[],
  object: object,
  principal: Principal,
): boolean {
  for (const name of names) {
    const rules = graphs.get(name);
    if (rules !== undefined && walk(rules, object, principal) === YES) return true;
  }
  return false;
}
