import type { Passkeys } from "../auth/index.ts";
import { PasskeyService } from "../auth/passkeys/index.ts";
import type { Clock } from "../core/index.ts";
import type { Database } from "../database/index.ts";
import type { ResolvedConfig } from "./config.ts";

/** wirePasskeys makes the service of passkeys, for the pages of the issuer and those that may send our cookies, within the domain. */
export const wirePasskeys = (config: ResolvedConfig, database: Database, clock: Clock): Passkeys =>
  new PasskeyService({
    database,
    clock,
    rpId: config.auth.passkeyDomain ?? new URL(config.issuer).hostname,
    rpName: config.auth.productName,
    origins: config.csrfOrigins,
  });
