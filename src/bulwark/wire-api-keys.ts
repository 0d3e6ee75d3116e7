import { APIKeyService, type KeyAccess } from "../api-keys/index.ts";
import type { AccountMailer } from "../auth/index.ts";
import type { AuditSink, Clock, Limiter, Log } from "../core/index.ts";
import type { Database } from "../database/index.ts";
import type { ResolvedConfig } from "./config.ts";

export interface APIKeyParts {
  readonly config: ResolvedConfig;
  readonly database: Database;
  readonly audit: AuditSink;
  readonly limiter: Limiter;
  readonly mailer: AccountMailer;
  /** Default: the scopes of the reference application, which are within every user's role. */
  readonly access?: KeyAccess | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const REFERENCE_SCOPES = ["products:read", "products:write"];

const referenceAccess: KeyAccess = {
  scopes: REFERENCE_SCOPES,
  permissionsOf: ({ roles }) => new Set(roles.includes("user") ? REFERENCE_SCOPES : []),
};

/** wireAPIKeys makes the service of API keys: what a user may do without a key's own limit is the most that a key may. */
export function wireAPIKeys(parts: APIKeyParts): APIKeyService {
  const { config, mailer, access = referenceAccess, ...services } = parts;
  return new APIKeyService({
    limit: config.limits["user"],
    ...config.apiKeys,
    ...services,
    access,
    notify: (notice, tx) => mailer.send({ kind: "key-leaked", ...notice }, tx),
  });
}
