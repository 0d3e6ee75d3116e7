import type { Principal } from "../core/index.ts";
import type { RoleGraph } from "./role-graph.ts";

/** Who acts, as far as roles count: a principal, or what a user holds. */
export interface Holder {
  readonly roles: readonly string[];
  readonly permissions?: readonly string[] | undefined;
}

/** Holdings tells what principals hold, of roles, permissions and scopes. It never throws. */
export class Holdings {
  readonly graph: RoleGraph;
  readonly permissions: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;

  constructor(graph: RoleGraph, permissions: Iterable<string>, scopes: Iterable<string>) {
    this.graph = graph;
    this.permissions = new Set(permissions);
    this.scopes = new Set([...this.permissions, ...scopes]);
  }

  /** hasRole tells whether one of a holder's roles is the role, or includes it. A tenant's key has none. */
  hasRole(roles: readonly string[], role: string): boolean {
    for (const own of roles) if (this.graph.closures.get(own)?.has(role) === true) return true;
    return false;
  }

  /** userMay tells whether a user has a permission: by a role from code, or by one that was made at run time. */
  userMay({ roles, permissions }: Holder, permission: string): boolean {
    for (const own of roles) {
      if (this.graph.permissions.get(own)?.has(permission) === true) return true;
    }
    // Of a role made at run time counts what the model knows, and nothing else.
    return permissions?.includes(permission) === true && this.permissions.has(permission);
  }

  /** may tells whether a principal has a permission. A key needs the scope of that name, and its owner the permission. */
  may(principal: Principal, permission: string): boolean {
    if (principal.kind === "user") return this.userMay(principal, permission);
    if (!principal.scopes.includes(permission) || !this.permissions.has(permission)) return false;
    return principal.kind === "tenantKey" || this.userMay(principal, permission);
  }

  /** hasScope tells whether a scope is no obstacle: for a user it never is, and a key has it and an owner who may that much. */
  hasScope(principal: Principal, scope: string): boolean {
    if (principal.kind === "user") return true;
    if (this.permissions.has(scope)) return this.may(principal, scope);
    return principal.scopes.includes(scope);
  }

  /** rolesOf lists a principal's roles with those that they include, and those made at run time. */
  rolesOf(principal: Principal): readonly string[] {
    if (principal.kind === "tenantKey") return [];
    return [
      ...new Set(principal.roles.flatMap((own) => [own, ...(this.graph.closures.get(own) ?? [])])),
    ];
  }

  permissionsOf(principal: Principal): readonly string[] {
    return [...this.permissions].filter((permission) => this.may(principal, permission));
  }

  /** scopesFor lists the scopes that a key of such a user may have. */
  scopesFor(holder: Holder): readonly string[] {
    return [...this.scopes].filter(
      (scope) => !this.permissions.has(scope) || this.userMay(holder, scope),
    );
  }
}
