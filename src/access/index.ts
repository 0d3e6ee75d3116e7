export type { AccessModel, Acting } from "./access-model.ts";
export {
  type AssignmentKey,
  type AssignmentView,
  type By,
  type MemberView,
  type NewAssignment,
  type NewRole,
  type PageQuery,
  RoleAdmin,
  type RoleAdminOptions,
  type RoleChanges,
  type RoleModel,
  type RoleView,
  TenantAdmin,
  type TenantAdminOptions,
  type TenantView,
} from "./admin/index.ts";
export type { AuthorizeOptions, PolicyContext, PolicyFunction } from "./authorize.ts";
export {
  allOf,
  anyOf,
  type Condition,
  equals,
  type FieldValue,
  inTenant,
  isIn,
  not,
  ownedBy,
} from "./conditions/index.ts";
export { defineAccess } from "./define-access.ts";
export type {
  AccessDefinition,
  ActionOf,
  FieldOf,
  RoleDefinition,
  RuleOf,
  SubjectDefinition,
  SubjectOf,
  Subjects,
} from "./definition.ts";
export type { Explanation } from "./explain.ts";
export type { Holder } from "./holdings.ts";
export { referenceAccess } from "./reference.ts";
export { requireRoles } from "./require-roles.ts";
export { isRole, ROLES, type Role } from "./roles.ts";
export { type CannotOptions, type CanOptions, can, cannot, type Rule } from "./rule.ts";
export type { Admitted } from "./stages.ts";
