import type { SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Authenticated, Principal, Wrapper } from "../core/index.ts";
import type { AuthorizeOptions, PolicyFunction } from "./authorize.ts";
import type { ActionOf, FieldOf, RuleOf, SubjectOf, Subjects } from "./definition.ts";
import type { Explanation } from "./explain.ts";
import type { Holder } from "./holdings.ts";
import type { Admitted } from "./stages.ts";

/** Who acts: a request's context, or a part of it. */
export interface Acting {
  readonly principal?: Principal | undefined;
}

/** AccessModel is roles, permissions, scopes and rules as one model. Its decisions never throw; what it does not allow is denied. */
export interface AccessModel<
  P extends string = string,
  R extends string = string,
  S extends Subjects = Subjects,
  X extends string = string,
> {
  /** The roles from code, as they were defined. */
  readonly roles: readonly R[];
  readonly permissions: readonly P[];
  /** The permissions, and the scopes besides. */
  readonly scopes: readonly (P | X)[];

  isRole(name: unknown): name is R;
  isPermission(name: unknown): name is P;

  /** requireRoles admits who has one of the roles, or one that includes it. Throws a TypeError only if none or an unknown one is named. */
  requireRoles(...roles: readonly R[]): Wrapper<Authenticated>;
  /** requireAllRoles admits who has every one of the roles. Throws like requireRoles. */
  requireAllRoles(...roles: readonly R[]): Wrapper<Authenticated>;
  /** requirePermissions admits who has every permission; a key, that has the scopes of the same names besides. Throws like requireRoles. */
  requirePermissions(...permissions: readonly P[]): Wrapper<Admitted>;
  /** requireScopes admits users, and keys that have every scope and an owner who may that much. Throws like requireRoles. */
  requireScopes(...scopes: readonly (P | X)[]): Wrapper<Admitted>;
  /**
   * authorize admits whom a policy lets pass: a function, one rule (beside the model's denials), or the model's rules on an action and a
   * subject. A rule with a condition needs `object`. Throws a TypeError only if it has none, or names what the model does not know.
   */
  authorize(
    policy:
      | PolicyFunction
      | RuleOf<P, R, S>
      | {
          readonly [K in SubjectOf<S>]: { readonly action: ActionOf<S, K>; readonly subject: K };
        }[SubjectOf<S>],
    options?: AuthorizeOptions,
  ): Wrapper<Admitted>;

  /** can tells whether a principal may do an action to an object; without an object, whatever the object is. */
  can<K extends SubjectOf<S>>(
    principal: Principal | undefined,
    action: ActionOf<S, K>,
    subject: K,
    object?: object,
  ): boolean;
  /** couldEver tells whether there may be an object that a principal can act on: for menus and buttons, and for no decision. */
  couldEver<K extends SubjectOf<S>>(
    principal: Principal | undefined,
    action: ActionOf<S, K>,
    subject: K,
  ): boolean;
  /** explain decides like {@link can}, and says which rule decided. */
  explain<K extends SubjectOf<S>>(
    principal: Principal | undefined,
    action: ActionOf<S, K>,
    subject: K,
    object?: object,
  ): Explanation;
  /**
   * assert returns the object. Throws a NotFoundError only if there is none, or if its existence is a secret and it may not be read, and a
   * ForbiddenError only if the action is denied.
   */
  assert<K extends SubjectOf<S>, T extends object>(
    acting: Acting,
    action: ActionOf<S, K>,
    subject: K,
    object: T | undefined | null,
    options?: { readonly secret?: boolean | undefined },
  ): T;
  /**
   * filter is the condition of the rows that may be acted on, for a query and for the WHERE of the UPDATE or DELETE itself: it keeps
   * exactly the rows that {@link can} allows. The fields are the names of the table's columns as its rows have them. Throws a
   * TypeError only if the table lacks one of them, or has it in a type that is not compared alike.
   */
  filter<K extends SubjectOf<S>>(
    acting: Acting,
    action: ActionOf<S, K>,
    subject: K,
    table: PgTable,
  ): SQL;

  /** readable copies of an object what a principal may read of it: nothing, where it may not read it at all. */
  readable<K extends SubjectOf<S>, T extends object>(
    principal: Principal | undefined,
    subject: K,
    object: T,
  ): Partial<Pick<T, FieldOf<S, K> & keyof T>>;
  /**
   * writable copies an input that sets only fields that a principal may set in that action; `object` is what is changed, or what is
   * about to be made. Throws a ValidationError only if it sets another field, known or not, and names it.
   */
  writable<K extends SubjectOf<S>, T extends object>(
    principal: Principal | undefined,
    action: ActionOf<S, K>,
    subject: K,
    input: T,
    object?: object,
  ): Partial<Pick<T, FieldOf<S, K> & keyof T>>;

  /** rolesOf lists a principal's roles with all that they include. */
  rolesOf(principal: Principal): readonly string[];
  /** permissionsOf lists what a principal may: of a key, what its scopes and its owner's roles have in common. */
  permissionsOf(principal: Principal): readonly P[];
  /** permissionsOfRoles lists what a user may who holds these. */
  permissionsOfRoles(holder: Holder): readonly P[];
  /** scopesFor lists the scopes that a key of such a user may have. */
  scopesFor(holder: Holder): readonly (P | X)[];
}
