export type { By, RoleModel } from "./grantor.ts";
export {
  type AssignmentKey,
  type NewAssignment,
  type NewRole,
  RoleAdmin,
  type RoleAdminOptions,
  type RoleChanges,
} from "./role-admin.ts";
export type { AssignmentView, RoleView } from "./role-view.ts";
export {
  type MemberView,
  type PageQuery,
  TenantAdmin,
  type TenantAdminOptions,
  type TenantView,
} from "./tenant-admin.ts";
