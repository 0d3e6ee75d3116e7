export {
  createDatabase,
  type Database,
  type Driver,
  type Orm,
  type OrmTransaction,
} from "./database.ts";
export { isUniqueViolation, toDatabaseError } from "./errors.ts";
export { FolderBusyError, lockFolder } from "./folder-lock.ts";
export type { Migration, MigrationSet } from "./migrate.ts";
export { bulwarkMigrations } from "./migrations.ts";
export { auditEvents } from "./tables/audit.ts";
export { oneTimeTokens, sessions, users } from "./tables/auth.ts";
export { insideTransaction } from "./transaction.ts";
