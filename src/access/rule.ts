import type { Condition } from "./conditions/index.ts";

/**
 * Rule is one sentence of a policy, as data: who may, or may not, do what with which objects. `A` is its actions, `K` its subject,
 * `F` the fields that it names, `R` and `P` the roles and the permission that it is granted to.
 */
export interface Rule<
  A extends string = string,
  K extends string = string,
  F extends string = string,
  R extends string = string,
  P extends string = string,
> {
  readonly effect: "allow" | "deny";
  readonly actions: readonly A[];
  readonly subject: K;
  readonly name?: string | undefined;
  readonly roles?: readonly R[] | undefined;
  readonly exceptRoles?: readonly R[] | undefined;
  readonly permission?: P | undefined;
  readonly fields?: readonly F[] | undefined;
  readonly where?: Condition<F> | undefined;
}

interface CommonOptions<F extends string> {
  /** What `explain` calls the rule. Default: a sentence made of the rule. */
  readonly name?: string | undefined;
  /** The fields that the rule is about, of those that its subject has. Default all. */
  readonly fields?: readonly F[] | undefined;
  /** Which objects the rule is about. Default all. */
  readonly where?: Condition<F> | undefined;
}

export interface CanOptions<F extends string, R extends string, P extends string>
  extends CommonOptions<F> {
  /** Who has one of these roles. Default: every user who is signed in, and no key. */
  readonly roles?: readonly R[] | undefined;
  /** Who has this permission; for a key the only way to be allowed anything. Not together with `roles`. */
  readonly permission?: P | undefined;
}

export interface CannotOptions<F extends string, R extends string> extends CommonOptions<F> {
  /** Who has one of these roles, those included that include one. Default: everybody, keys too. */
  readonly roles?: readonly R[] | undefined;
  /** Who is left out, since they have one of these roles. Default nobody. */
  readonly exceptRoles?: readonly R[] | undefined;
}

/** can says who may do something: `can('update', 'product', { roles: ['user'], where: ownedBy('ownerId') })`. */
export function can<
  const A extends string,
  const K extends string,
  const F extends string = never,
  const R extends string = never,
  const P extends string = never,
>(actions: A | readonly A[], subject: K, options: CanOptions<F, R, P> = {}): Rule<A, K, F, R, P> {
  return { ...options, effect: "allow", actions: listOf(actions), subject };
}

/** cannot says who may not do something, whatever else allows it: `cannot('delete', 'product', { where: equals('status', 'sold') })`. */
export function cannot<
  const A extends string,
  const K extends string,
  const F extends string = never,
  const R extends string = never,
>(
  actions: A | readonly A[],
  subject: K,
  options: CannotOptions<F, R> = {},
): Rule<A, K, F, R, never> {
  return { ...options, effect: "deny", actions: listOf(actions), subject };
}

const listOf = <A extends string>(actions: A | readonly A[]): readonly A[] =>
  typeof actions === "string" ? [actions] : actions;
