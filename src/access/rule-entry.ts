import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";
import { NO, Step, YES } from "./conditions/index.ts";

/** The rules of one action on one subject, as graphs that are found by who acts. */
export interface Entry {
  readonly all: readonly CompiledRule[];
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

export type User = Extract<Principal, { kind: "user" }>;

/** The end of a whole decision that a denial made; what allows ends at YES, and where no rule is about the object it is NO. */
const DENIED = new Step({ kind: "end" });

/** entryOf sorts the rules of one action on one subject, for a model with such roles. */
export function entryOf(all: readonly CompiledRule[], roles: readonly string[]): Entry {
  const { allowed, denied } = wholeObjects(all);
  const everyUser = allowed.filter(isForEveryUser);
  const some = allowed.filter((rule) => !isForEveryUser(rule));
  const withExceptions = denied.filter(({ rule }) => rule.exceptRoles !== undefined);
  const others = denied.filter(({ rule }) => rule.exceptRoles === undefined);
  const denialsByRole = others.filter(({ rule }) => rule.roles !== undefined);
  const permissions = new Set(allowed.flatMap(({ rule }) => rule.permission ?? []));
  return {
    all,
    denials: listOf(others.filter(({ rule }) => rule.roles === undefined)),
    denialsWithExceptions: withExceptions,
    denialsByRole: listsOf(roles, (role) => granted(denialsByRole, role)),
    everyUser: listOf(everyUser),
    byRole: listsOf(roles, (role) => granted(some, role)),
    byPermission: listsOf(permissions, (permission) =>
      allowed.filter(({ rule }) => rule.permission === permission),
    ),
  };
}

/** wholeOf is the decision on a user whose only role is this one, or who has none: denials, then what allows. */
export function wholeOf(all: readonly CompiledRule[], role: string | undefined): Step {
  const { allowed, denied } = wholeObjects(all);
  const everyUser = listOf(allowed.filter(isForEveryUser));
  const some = allowed.filter((rule) => !isForEveryUser(rule));
  return listOf(granted(denied, role), DENIED, listOf(granted(some, role), YES, everyUser));
}

/** What permits some field of an object permits the object; what denies some field leaves the object. */
const wholeObjects = (
  all: readonly CompiledRule[],
): Readonly<Record<"allowed" | "denied", readonly CompiledRule[]>> => ({
  allowed: all.filter(({ rule }) => rule.effect === "allow"),
  denied: all.filter(({ rule, fields }) => rule.effect === "deny" && fields === undefined),
});

const isForEveryUser = ({ rule }: CompiledRule): boolean =>
  rule.roles === undefined && rule.permission === undefined;

function granted(
  rules: readonly CompiledRule[],
  role: string | undefined,
): readonly CompiledRule[] {
  const somebody: User = {
    kind: "user",
    userId: "",
    sessionId: "",
    via: "bearer",
    methods: [],
    roles: role === undefined ? [] : [role],
  };
  return rules.filter((rule) => rule.isGranted(somebody));
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
