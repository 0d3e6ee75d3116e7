import { RoleAdmin, TenantAdmin } from "../access/index.ts";
import type { APIKeyService } from "../api-keys/index.ts";
import type { SessionStore } from "../auth/index.ts";
import type { AuditSink, Clock, Log } from "../core/index.ts";
import type { Database } from "../database/index.ts";
import type { AnyAccessModel } from "./config.ts";

/** wireAccess makes the services of roles and tenants; whom a change concerns is signed out by it. */
export function wireAccess(parts: {
  readonly access: AnyAccessModel;
  readonly database: Database;
  readonly sessions: SessionStore;
  readonly apiKeys: APIKeyService;
  readonly audit: AuditSink;
  readonly clock: Clock;
}): { readonly roles: RoleAdmin; readonly tenants: TenantAdmin } {
  const { access, database, sessions, apiKeys, audit, clock } = parts;
  const onChanged = (userId: string): void =>
    sessions.forget((session) => session.userId === userId);
  return {
    roles: new RoleAdmin({
      database,
      access,
      audit,
      clock,
      endSessions: (userId, tx) => sessions.revokeAll(userId, {}, tx),
      onChanged,
    }),
    tenants: new TenantAdmin({
      database,
      audit,
      clock,
      onChanged,
      // A tenant's own keys end with it, also where it had no members.
      onDeleted: (tenantId) => apiKeys.forget((key) => key.tenantId === tenantId),
    }),
  };
}

/** warnOfShadowedRoles logs which roles made at run time have names that the code has taken since. */
export async function warnOfShadowedRoles(roles: RoleAdmin, log: Log): Promise<void> {
  const shadowed = (await roles.shadowed()).map(({ id, name, tenantId }) => ({
    id,
    name,
    tenantId,
  }));
  if (shadowed.length === 0) return;
  log.warn(
    { roles: shadowed },
    "roles made at run time have names of roles from code: whoever was given one has the code's; delete them, or rename those of the code",
  );
}
