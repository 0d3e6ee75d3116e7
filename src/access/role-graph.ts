import type { RoleDefinition } from "./definition.ts";
import { isRoleName, shown } from "./names.ts";

type Roles = Readonly<Record<string, RoleDefinition<string, string>>>;

/** RoleGraph is what each role of a model amounts to, with all roles that it includes. */
export interface RoleGraph {
  readonly names: readonly string[];
  /** Each role with itself and all that it includes. */
  readonly closures: ReadonlyMap<string, ReadonlySet<string>>;
  readonly permissions: ReadonlyMap<string, ReadonlySet<string>>;
}

/** roleGraph checks roles. Throws a TypeError that names the role only if a name is unknown or malformed, or roles include each other. */
export function roleGraph(roles: Roles, permissions: readonly string[]): RoleGraph {
  const names = Object.keys(roles);
  for (const name of names) checkRole(name, roles, new Set(permissions));
  const closures = new Map(names.map((name) => [name, closureOf(name, roles)]));
  return {
    names,
    closures,
    permissions: new Map(
      names.map((name) => [name, permissionsOf(closures.get(name) ?? [], roles, permissions)]),
    ),
  };
}

function checkRole(name: string, roles: Roles, permissions: ReadonlySet<string>): void {
  if (!isRoleName(name)) {
    throw new TypeError(`roles: expected a name such as moderator, came ${shown(name)}`);
  }
  const { includes = [], permissions: own = [] } = roles[name] ?? {};
  const stranger = includes.find((included) => !Object.hasOwn(roles, included));
  if (stranger !== undefined) {
    throw new TypeError(
      `roles.${name}.includes: expected some of ${Object.keys(roles).join(", ")}, came ${shown(stranger)}`,
    );
  }
  if (own === "*") return;
  const unknown = own.find((permission) => !permissions.has(permission));
  if (unknown !== undefined) {
    throw new TypeError(
      `roles.${name}.permissions: expected permissions of the model, came ${shown(unknown)}`,
    );
  }
}

function closureOf(name: string, roles: Roles): ReadonlySet<string> {
  const closure = new Set<string>();
  const add = (role: string, path: readonly string[]): void => {
    if (path.includes(role)) {
      const cycle = [...path.slice(path.indexOf(role)), role].join(" includes ");
      throw new TypeError(`roles: expected no role to include itself, came ${cycle}`);
    }
    closure.add(role);
    for (const included of roles[role]?.includes ?? []) add(included, [...path, role]);
  };
  add(name, []);
  return closure;
}

function permissionsOf(
  closure: Iterable<string>,
  roles: Roles,
  all: readonly string[],
): ReadonlySet<string> {
  const own = [...closure].map((role) => roles[role]?.permissions ?? []);
  return new Set(own.flatMap((list) => (list === "*" ? all : list)));
}
