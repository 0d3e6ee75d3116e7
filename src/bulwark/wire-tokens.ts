import type { AuditLogger } from "../audit/index.ts";
import { type SessionStore, SigningKeys, TokenService } from "../auth/index.ts";
import type { Clock } from "../core/index.ts";
import type { KeyRing, Sealer } from "../crypto/index.ts";
import type { Database } from "../database/index.ts";
import type { ResolvedConfig } from "./config.ts";

/** wireTokens makes the service of access tokens, with keys in the database where the algorithm has pairs. */
export function wireTokens(parts: {
  readonly config: ResolvedConfig;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly sealer: Sealer;
  readonly sessions: SessionStore;
  readonly audit: AuditLogger;
  readonly clock: Clock;
}): TokenService {
  const { config, database, keys, sealer, sessions, audit, clock } = parts;
  const { tokenAlgorithm: algorithm = "HS256", tokenLifetime: lifetime } = config.auth;
  const base = { keys, sessions, issuer: config.issuer, clock, lifetime, algorithm };
  if (algorithm === "HS256") return new TokenService(base);
  const signingKeys = new SigningKeys({
    database,
    sealer,
    audit,
    clock,
    algorithm,
    tokenLifetime: lifetime,
  });
  return new TokenService({ ...base, signingKeys, alsoAccept: ["HS256"] });
}
