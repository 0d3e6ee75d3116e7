import { APIKeyService } from "../api-keys/index.ts";
import type { AccountMailer } from "../auth/index.ts";
import type { AuditSink, Clock, Limiter, Log } from "../core/index.ts";
import type { Database } from "../database/index.ts";
import type { AnyAccessModel, ResolvedConfig } from "./config.ts";

export interface APIKeyParts {
  readonly config: ResolvedConfig;
  readonly database: Database;
  readonly audit: AuditSink;
  readonly limiter: Limiter;
  readonly mailer: AccountMailer;
  readonly access: AnyAccessModel;
  readonly clock: Clock;
  readonly log: Log;
}

/** wireAPIKeys makes the service of API keys: what a user may do without a key's own limit is the most that a key may. */
export function wireAPIKeys(parts: APIKeyParts): APIKeyService {
  const { config, mailer, access, ...services } = parts;
  return new APIKeyService({
    limit: config.limits["user"],
    ...config.apiKeys,
    ...services,
    access: {
      scopes: access.scopes,
      holdsRole: (role) => config.auth.rolesThatNeedMfa?.includes(role) !== true,
      permissionsOf: (owner) => new Set(access.scopesFor(owner)),
    },
    notify: (notice, tx) => mailer.send({ kind: "key-leaked", ...notice }, tx),
  });
}
