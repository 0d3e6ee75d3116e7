export { AuditLogger, type AuditLoggerOptions } from "./audit-logger.ts";
export { type AuditEntry, type AuditPage, type AuditQuery, readAudit } from "./read-audit.ts";
