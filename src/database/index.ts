export { isUniqueViolation, toDatabaseError } from "../observability/index.ts";
export { BaseCRUDService, type CRUDOptions, type ListQuery } from "./base-crud-service.ts";
export { createDatabase, type Database, type Driver } from "./database.ts";
export { FolderBusyError, lockFolder } from "./folder-lock.ts";
export { makeFolder } from "./make-folder.ts";
export type { Migration, MigrationSet } from "./migrate.ts";
export { bulwarkMigrations } from "./migrations/index.ts";
export type { Orm, OrmTransaction } from "./orm.ts";
export {
  type ColumnName,
  createQueryBuilder,
  type KeysetPage,
  type Page,
  QueryBuilder,
  type QueryBuilderOptions,
} from "./query-builder.ts";
export { memberships, roleAssignments, roles } from "./tables/access.ts";
export { apiKeys, apiKeyUsage } from "./tables/api-keys.ts";
export { auditEvents } from "./tables/audit.ts";
export {
  accountGuards,
  devices,
  factorResets,
  identities,
  oneTimeTokens,
  passkeys,
  recoveryCodes,
  refreshFamilies,
  sessions,
  signingKeys,
  totpCredentials,
  users,
} from "./tables/auth.ts";
export { mailOutbox } from "./tables/mail.ts";
export { browserReports } from "./tables/reports.ts";
export { tenants } from "./tables/tenants.ts";
export { readUserAccess, type UserAccess, userAccess } from "./tables/user-access.ts";
export { type TenantContext, tenantPolicy } from "./tenancy.ts";
export { insideTransaction } from "./transaction.ts";
