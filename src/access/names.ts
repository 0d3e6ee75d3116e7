const PROTOTYPE_NAMES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
]);

/** isPrototypeName tells a name that every object answers to, so that no role, permission or field may have it. */
export const isPrototypeName = (name: string): boolean => PROTOTYPE_NAMES.has(name);

const PART = "[a-z][a-z0-9_-]{0,63}";
const ROLE = new RegExp(`^${PART}$`);
const PERMISSION = new RegExp(`^${PART}:${PART}$`);

/** isRoleName tells a name that a role may have: lower case, digits, `_` and `-`, at most 64 characters, and no prototype's name. */
export const isRoleName = (name: unknown): name is string =>
  typeof name === "string" && ROLE.test(name) && !isPrototypeName(name);

/** isPermissionName tells a name such as `products:delete`. */
export const isPermissionName = (name: unknown): name is `${string}:${string}` =>
  typeof name === "string" && PERMISSION.test(name) && !name.split(":").some(isPrototypeName);

/** What came, for the message of an error: short, and never more than a name. */
export const shown = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.slice(0, 64))
    : `a value of type ${typeof value}`;
