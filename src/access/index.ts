export { requireRoles } from "./require-roles.ts";
export { isRole, ROLES, type Role } from "./roles.ts";
