import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { NO, Step, walk, YES } from "./conditions/index.ts";
import type { Holdings } from "./holdings.ts";

/** The rules of one action on one subject, as graphs that are found by who acts. */
interface Entry {
  readonly all: readonly CompiledRule[];
  /** The whole decision on a user with one role from code: denials, then what allows. */
  readonly ofRole: ReadonlyMap<string, Step>;
  /** The same of a user without any. */
  readonly ofNoRole: Step;
  /** Denials of whole objects that are about everybody. */
  readonly denials: Step;
  /** Denials of whole objects that leave somebody out. */
  readonly denialsWithExceptions: readonly CompiledRule[];
  /** Denials of whole objects to whoever has a role, and nobody left out. */
  readonly denialsByRole: ReadonlyMap<string, Step>;
  /** What a user is allowed without any role. */
  readonly everyUser: Step;
  /** What a user is allowed by a role from code, its permissions and all that it includes. */
  readonly byRole: ReadonlyMap<string, Step>;
  readonly byPermission: ReadonlyMap<string, Step>;
}

const NONE: readonly CompiledRule[] = [];
const NOTHING: object = Object.freeze({});
const DENIED = new Step({ kind: "end" });

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
          holdings.graph.names,
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
      if (principal.kind === "user" && principal.roles.length <= 1) {
        return isUserOfOneRoleAllowed(entry, principal, object);
      }
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
      if (walk(rules, object, principal) === YES) return true;
    }
    return false;
  }
}

type User = Extract<Principal, { kind: "user" }>;

/** By far the most decisions are about such a user, and one walk makes them. */
function isUserOfOneRoleAllowed(entry: Entry, principal: User, object: object): boolean {
  const [role] = principal.roles;
  const start = (role === undefined ? undefined : entry.ofRole.get(role)) ?? entry.ofNoRole;
  const end = walk(start, object, principal);
  return end === YES || (end === NO && isUserPermitted(entry, principal, object));
}

function isDenied(entry: Entry, principal: Principal, object: object): boolean {
  if (walk(entry.denials, object, principal) === YES) return true;
  for (const denial of entry.denialsWithExceptions) {
    if (denial.isGranted(principal) && denial.isAbout(object, principal)) return true;
  }
  if (entry.denialsByRole.size === 0 || principal.kind === "tenantKey") return false;
  return isAboutOne(entry.denialsByRole, principal.roles, object, principal);
}

const isUserAllowed = (entry: Entry, principal: User, object: object): boolean =>
  isAboutOne(entry.byRole, principal.roles, object, principal) ||
  walk(entry.everyUser, object, principal) === YES ||
  isUserPermitted(entry, principal, object);

const isUserPermitted = (entry: Entry, principal: User, object: object): boolean =>
  principal.permissions !== undefined &&
  isAboutOne(entry.byPermission, principal.permissions, object, principal);

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

function entryOf(all: readonly CompiledRule[], roles: readonly string[]): Entry {
  const allowed = all.filter(({ rule }) => rule.effect === "allow");
  const [everyUser, some] = parted(allowed, isForEveryUser);
  const denied = all.filter(({ rule, fields }) => rule.effect === "deny" && fields === undefined);
  const [withExceptions, others] = parted(denied, ({ rule }) => rule.exceptRoles !== undefined);
  const [everybody, byRole] = parted(others, ({ rule }) => rule.roles === undefined);
  /** What decides on a user whose only role is this one, or who has none. */
  const whole = (role?: string): Step => {
    const user = userOf(role);
    const own = listOf(granted(some, user), YES, listOf(everyUser));
    return listOf(granted(denied, user), DENIED, own);
  };
  const permissions = new Set(allowed.flatMap(({ rule }) => rule.permission ?? []));
  return {
    all,
    ofRole: new Map(roles.map((role) => [role, whole(role)])),
    ofNoRole: whole(),
    denials: listOf(everybody),
    denialsWithExceptions: withExceptions,
    denialsByRole: listsOf(roles, (role) => granted(byRole, userOf(role))),
    everyUser: listOf(everyUser),
    byRole: listsOf(roles, (role) => granted(some, userOf(role))),
    byPermission: listsOf(permissions, (permission) =>
      allowed.filter(({ rule }) => rule.permission === permission),
    ),
  };
}

const isForEveryUser = ({ rule }: CompiledRule): boolean =>
  rule.roles === undefined && rule.permission === undefined;

const granted = (rules: readonly CompiledRule[], user: User): readonly CompiledRule[] =>
  rules.filter((rule) => rule.isGranted(user));

/** Somebody with a role, to ask rules whom they are about. */
const userOf = (role: string | undefined): User => ({
  kind: "user",
  userId: "",
  sessionId: "",
  via: "bearer",
  methods: [],
  roles: role === undefined ? [] : [role],
});

function parted(
  rules: readonly CompiledRule[],
  isFirst: (rule: CompiledRule) => boolean,
): [readonly CompiledRule[], readonly CompiledRule[]] {
  return [rules.filter(isFirst), rules.filter((rule) => !isFirst(rule))];
}

function listsOf(
  names: Iterable<string>,
  rulesOf: (name: string) => readonly CompiledRule[],
): ReadonlyMap<string, Step> {
  const lists = [...names].map((name): [string, Step] => [name, listOf(rulesOf(name))]);
  return new Map(lists.filter(([, list]) => list !== NO));
}

/** One graph of rules of one effect. Where one of them has no condition, nothing has to be asked. */
function listOf(rules: readonly CompiledRule[], yes: Step = YES, no: Step = NO): Step {
  const isAlways = rules.some(({ condition }) => condition === undefined);
  return isAlways ? yes : rules.reduceRight((next, rule) => rule.followedBy(yes, next), no);
}
