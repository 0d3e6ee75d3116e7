import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { ALWAYS, type Matcher, matches, matchesOne } from "./conditions/index.ts";
import type { Holdings } from "./holdings.ts";

/** The rules of one action on one subject, sorted by how they are found. */
interface Entry {
  readonly all: readonly CompiledRule[];
  /** Denials of whole objects that are about everybody. */
  readonly denials: readonly Matcher[];
  /** Denials of whole objects that leave somebody out. */
  readonly denialsWithExceptions: readonly CompiledRule[];
  /** Denials of whole objects to whoever has a role, and nobody left out. */
  readonly denialsByRole: ReadonlyMap<string, readonly Matcher[]>;
  /** What a user is allowed without any role. */
  readonly everyUser: readonly Matcher[];
  /** What a user is allowed by a role from code, its permissions and all that it includes. */
  readonly byRole: ReadonlyMap<string, readonly Matcher[]>;
  readonly byPermission: ReadonlyMap<string, readonly Matcher[]>;
}

const NONE: readonly CompiledRule[] = [];
const NOTHING: object = Object.freeze({});

/** RuleIndex decides by the rules of a model. A decision looks at the rules of its subject, action and roles alone, and allocates nothing. */
export class RuleIndex {
  readonly #holdings: Holdings;
  readonly #entries = new Map<string, Map<string, Entry>>();

  constructor(rules: readonly CompiledRule[], holdings: Holdings) {
    this.#holdings = holdings;
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
          holdings,
        ),
      ]);
      this.#entries.set(subject, new Map(entries));
    }
  }

  /** rulesOf lists the rules of an action on a subject, in the order of the model. */
  rulesOf(action: string, subject: string): readonly CompiledRule[] {
    return this.#entries.get(subject)?.get(action)?.all ?? NONE;
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
    const entry = this.#entries.get(subject)?.get(action);
    if (entry === undefined) return false;
    try {
      return (
        !isDenied(entry, principal, object) &&
        (principal.kind === "user"
          ? isUserAllowed(entry, principal, object)
          : this.#isKeyAllowed(entry, principal, object))
      );
    } catch {
      return false;
    }
  }

  /** isDenied tells whether a denial of whole objects is about this one. It throws what the object throws. */
  isDenied(principal: Principal, action: string, subject: string, object: object): boolean {
    const entry = this.#entries.get(subject)?.get(action);
    return entry !== undefined && isDenied(entry, principal, object);
  }

  #isKeyAllowed(
    entry: Entry,
    principal: Exclude<Principal, { kind: "user" }>,
    object: object,
  ): boolean {
    for (const scope of principal.scopes) {
      const rules = entry.byPermission.get(scope);
      if (rules === undefined || !this.#holdings.may(principal, scope)) continue;
      if (matchesOne(rules, object, principal)) return true;
    }
    return false;
  }
}

function isDenied(entry: Entry, principal: Principal, object: object): boolean {
  if (entry.denials.length > 0 && matchesOne(entry.denials, object, principal)) return true;
  for (const denial of entry.denialsWithExceptions) {
    if (denial.isGranted(principal) && matches(denial.matcher, object, principal)) return true;
  }
  if (entry.denialsByRole.size === 0 || principal.kind === "tenantKey") return false;
  for (const role of principal.roles) {
    const rules = entry.denialsByRole.get(role);
    if (rules !== undefined && matchesOne(rules, object, principal)) return true;
  }
  return false;
}

function isUserAllowed(
  entry: Entry,
  principal: Extract<Principal, { kind: "user" }>,
  object: object,
): boolean {
  for (const role of principal.roles) {
    const rules = entry.byRole.get(role);
    if (rules !== undefined && matchesOne(rules, object, principal)) return true;
  }
  if (matchesOne(entry.everyUser, object, principal)) return true;
  if (principal.permissions === undefined) return false;
  for (const permission of principal.permissions) {
    const rules = entry.byPermission.get(permission);
    if (rules !== undefined && matchesOne(rules, object, principal)) return true;
  }
  return false;
}

function entryOf(all: readonly CompiledRule[], holdings: Holdings): Entry {
  const allowed = all.filter(({ rule }) => rule.effect === "allow");
  const denied = all.filter(({ rule, fields }) => rule.effect === "deny" && fields === undefined);
  const isFor = ({ rule }: CompiledRule, name: string): boolean =>
    rule.permission === undefined
      ? rule.roles?.some((role) => holdings.hasRole([name], role)) === true
      : holdings.userMay({ roles: [name] }, rule.permission);
  const byRole = (rules: readonly CompiledRule[]): Entry["byRole"] => {
    const found = holdings.graph.names.map((name): [string, readonly Matcher[]] => [
      name,
      shortest(rules.filter((rule) => isFor(rule, name))),
    ]);
    return new Map(found.filter(([, own]) => own.length > 0));
  };
  const byPermission = new Map<string, readonly Matcher[]>();
  for (const { rule } of allowed) {
    if (rule.permission === undefined || byPermission.has(rule.permission)) continue;
    const same = allowed.filter((other) => other.rule.permission === rule.permission);
    byPermission.set(rule.permission, shortest(same));
  }
  return {
    all,
    denials: shortest(
      denied.filter(({ rule }) => rule.roles === undefined && rule.exceptRoles === undefined),
    ),
    denialsWithExceptions: denied.filter(({ rule }) => rule.exceptRoles !== undefined),
    denialsByRole: byRole(denied.filter(({ rule }) => rule.exceptRoles === undefined)),
    everyUser: shortest(
      allowed.filter(({ rule }) => rule.roles === undefined && rule.permission === undefined),
    ),
    byRole: byRole(allowed),
    byPermission,
  };
}

/** Of rules of one effect, one without a condition is all that has to be asked. */
function shortest(rules: readonly CompiledRule[]): readonly Matcher[] {
  const isAlways = rules.some(({ condition }) => condition === undefined);
  return isAlways ? [ALWAYS] : rules.map(({ matcher }) => matcher);
}
