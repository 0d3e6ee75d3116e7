import type { Principal } from "../core/index.ts";
import type { CompiledRule } from "./compiled-rule.ts";

/** Explanation is a decision as a person reads it. */
export interface Explanation {
  readonly allowed: boolean;
  /** The name of the rule that decided; undefined where none did, which denies. */
  readonly rule: string | undefined;
  /** Sentences that say how it came to that. They tell of rules and roles: for developers and administrators, not for clients. */
  readonly because: readonly string[];
}

const NOTHING: object = Object.freeze({});

/** explain decides as the rules do, and says which of them decided. It never throws. */
export function explain(
  rules: readonly CompiledRule[],
  principal: Principal | undefined,
  action: string,
  subject: string,
  object: object = NOTHING,
): Explanation {
  if (principal === undefined) return refuse(["Nobody is signed in."]);
  if (rules.length === 0) return refuse([`No rule is about ${action} on ${subject}.`]);
  const whole = rules.filter(({ rule, fields }) => rule.effect === "allow" || fields === undefined);
  try {
    const decisive = (effect: "allow" | "deny"): CompiledRule | undefined =>
      whole.find(
        (each) =>
          each.rule.effect === effect &&
          each.isGranted(principal) &&
          each.isAbout(object, principal),
      );
    const denial = decisive("deny");
    if (denial !== undefined) return refuse(["A denial wins over all that allows."], denial);
    const allowing = decisive("allow");
    if (allowing !== undefined) {
      return { allowed: true, rule: allowing.name, because: [grantOf(allowing, principal)] };
    }
  } catch {
    return refuse(["The object could not be read."]);
  }
  const allowing = whole.filter(({ rule }) => rule.effect === "allow");
  return refuse([
    ...allowing.map((rule) =>
      rule.isGranted(principal)
        ? `"${rule.name}" is not about this object.`
        : `"${rule.name}" is not about ${whoIs(principal)}.`,
    ),
    "What no rule allows is denied.",
  ]);
}

const refuse = (because: readonly string[], rule?: CompiledRule): Explanation => ({
  allowed: false,
  rule: rule?.name,
  because,
});

const grantOf = ({ rule }: CompiledRule, principal: Principal): string =>
  rule.permission === undefined
    ? `It is about ${whoIs(principal)}, and about the object.`
    : `The permission ${rule.permission} is held by ${whoIs(principal)}, and the rule is about the object.`;

function whoIs(principal: Principal): string {
  if (principal.kind === "tenantKey") return "a tenant's key";
  const roles = `with ${principal.roles.length === 0 ? "no role" : principal.roles.join(", ")}`;
  return principal.kind === "user" ? `a user ${roles}` : `a key of a user ${roles}`;
}
