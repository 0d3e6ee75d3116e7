import type { Rule } from "./rule.ts";

/** What can be done to a subject where it does not say. */
export const CRUD_ACTIONS = ["create", "read", "update", "delete"] as const;

/** A kind of objects that rules are about. */
export interface SubjectDefinition {
  /** What can be done to it. Default create, read, update, delete. */
  readonly actions?: readonly string[] | undefined;
  /** The fields that rules may read and that people may be shown or may set: whatever is not here never comes out or gets in. */
  readonly fields: readonly string[];
}

export type Subjects = Readonly<Record<string, SubjectDefinition>>;

export type SubjectOf<S extends Subjects> = keyof S & string;

export type ActionOf<S extends Subjects, K extends SubjectOf<S>> = S[K] extends {
  readonly actions: readonly (infer A extends string)[];
}
  ? A
  : (typeof CRUD_ACTIONS)[number];

export type FieldOf<S extends Subjects, K extends SubjectOf<S>> = S[K]["fields"][number];

/** A rule of a model: its names are those that the model knows. */
export type RuleOf<P extends string, R extends string, S extends Subjects> = {
  [K in SubjectOf<S>]: Rule<ActionOf<S, K>, K, FieldOf<S, K>, R, P>;
}[SubjectOf<S>];

export interface RoleDefinition<P extends string, R extends string> {
  /** Roles that this one contains, with all that they may. Default none. */
  readonly includes?: readonly R[] | undefined;
  /** What it may; `*` is every permission of the model. Default nothing of its own. */
  readonly permissions?: readonly P[] | "*" | undefined;
}

export interface AccessDefinition<
  P extends string,
  R extends string,
  S extends Subjects,
  X extends string,
> {
  /** Such as `products:delete`: resource and action, lower case. */
  readonly permissions: readonly P[];
  /** Roles by name: lower case, digits, `_` and `-`. */
  readonly roles: { readonly [Name in R]: RoleDefinition<NoInfer<P>, NoInfer<R>> };
  /** Scopes of keys besides the permissions. Default none. */
  readonly scopes?: readonly X[] | undefined;
  /** What rules are about. Default nothing. */
  readonly subjects?: S | undefined;
  /** Who may do what to which objects; a denial wins, and what no rule allows is denied. Default none. */
  readonly rules?: readonly RuleOf<NoInfer<P>, NoInfer<R>, NoInfer<S>>[] | undefined;
  /** Says in the body of a 403 what was required. For development. Default false. */
  readonly explainRefusals?: boolean | undefined;
}
