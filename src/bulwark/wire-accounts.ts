import type { AuditLogger } from "../audit/index.ts";
import {
  AccountAdmin,
  AccountCredentials,
  AccountGuard,
  type AccountMailer,
  AuthService,
  Devices,
  FactorChanges,
  FirstAdmin,
  OneTimeTokens,
  type Passkeys,
  type PasswordService,
  Recovery,
  RecoveryCodes,
  type RefreshTokens,
  Registration,
  SecondFactors,
  type SessionStore,
  SignIn,
  secondFactorsOf,
  type TokenService,
  TotpService,
} from "../auth/index.ts";
import { type Clock, type Limiter, type Log, UnavailableError } from "../core/index.ts";
import type { KeyRing, Sealer } from "../crypto/index.ts";
import type { Database } from "../database/index.ts";
import type { ResolvedConfig } from "./config.ts";
import { namedPolicies } from "./limit-config.ts";

export interface AccountParts {
  readonly config: ResolvedConfig;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: AuditLogger;
  readonly passwords: PasswordService;
  readonly sessions: SessionStore;
  readonly tokens: TokenService;
  readonly refreshTokens: RefreshTokens;
  readonly passkeys: Passkeys;
  readonly limiter: Limiter;
  readonly mailer: AccountMailer;
}

export interface WiredAccounts {
  readonly auth: AuthService;
  readonly signIn: SignIn;
  readonly registration: Registration;
  readonly recovery: Recovery;
  readonly factorChanges: FactorChanges;
  readonly accounts: AccountAdmin;
  readonly firstAdmin: FirstAdmin;
  readonly hasSecondFactor: (userId: string) => Promise<boolean>;
  /** sweep deletes what is over, and does what was put off until now. */
  sweep(): Promise<void>;
  /** settled waits for the work that no answer waited for. */
  settled(): Promise<void>;
}

/** wireAccounts makes the services of accounts out of those of passwords, sessions, tokens, factors and mail. */
export function wireAccounts(parts: AccountParts): WiredAccounts {
  const { config, database, clock, audit, keys, mailer, sessions, passwords } = parts;
  const { rolesThatNeedMfa, productName, magicLink, deletionGrace } = config.auth;
  const base = { database, clock, audit, mailer };
  const background = backgroundWork(parts.log);
  const mayMail = mailLimit(parts);
  const verification = config.emailVerification;

  const { lockAfter, lockFor, deviceLifetime } = config.auth;
  const guard = new AccountGuard({ database, clock, lockAfter, lockFor });
  const oneTimeTokens = new OneTimeTokens({ database, clock });
  const devices = new Devices({ database, keys, clock, lifetime: deviceLifetime });
  const totp = new TotpService({
    database,
    clock,
    sealer: parts.sealer,
    issuerName: productName,
  });
  const recoveryCodes = new RecoveryCodes({ database, clock });
  const { passkeys } = parts;
  const factors = new SecondFactors({
    guard,
    services: {
      methodsOf: (userId) => database.run((orm) => secondFactorsOf(orm, userId)),
      verifyTotp: (userId, code) => totp.verify(userId, code),
      useRecoveryCode: (userId, code) => recoveryCodes.use(userId, code),
      verifyPasskey: async (userId, credential) =>
        (await passkeys.verifyLogin(credential, { userId })) !== undefined,
    },
  });
  const credentials = new AccountCredentials({ database, passwords, sessions, rolesThatNeedMfa });
  const { tokens, refreshTokens } = parts;
  const shared = {
    ...base,
    sessions,
    devices,
    tokens,
    refreshTokens,
    oneTimeTokens,
    factors,
    guard,
  };
  const signIn = new SignIn({ ...shared, verification });
  const auth = new AuthService({ ...shared, passwords, passkeys, signIn });
  const flows = { ...base, credentials, oneTimeTokens, mayMail, background: background.run };
  const registration = new Registration({ ...flows, verification });
  const recovery = new Recovery({
    ...flows,
    auth,
    signIn,
    guard,
    verification,
    magicLink,
    deletionGrace,
  });
  const factorChanges = new FactorChanges({
    ...base,
    signIn,
    factors,
    totp,
    recoveryCodes,
    passkeys,
    credentials,
    guard,
  });
  const accounts = new AccountAdmin({ ...base, sessions, credentials, guard });

  return {
    auth,
    signIn,
    registration,
    recovery,
    factorChanges,
    accounts,
    firstAdmin: new FirstAdmin({ database, registration, clock }),
    hasSecondFactor: async (userId) => (await factors.methodsOf(userId)).length > 0,
    async sweep() {
      await sessions.sweep();
      await oneTimeTokens.sweep();
      await devices.sweep();
      await accounts.applyDueResets();
      await accounts.purge();
    },
    settled: background.settled,
  };
}

/** As much as the database does in some seconds; what comes beyond it would only wait in memory. */
const MAX_BACKGROUND = 1_000;

/**
 * Work that no answer waits for: what goes wrong is logged, and a close waits for it. Beyond a thousand at once it is refused, for
 * every address alike, with an UnavailableError.
 */
function backgroundWork(log: Log): {
  readonly run: (work: () => Promise<void>) => void;
  readonly settled: () => Promise<void>;
} {
  const running = new Set<Promise<void>>();
  return {
    run(work) {
      if (running.size >= MAX_BACKGROUND) {
        throw new UnavailableError("too much work waits in the background", { retryAfter: 5 });
      }
      const done = work()
        .catch((err: unknown) => log.error({ err }, "work in the background failed"))
        .finally(() => running.delete(done));
      running.add(done);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** Mail to one address is limited whoever asks for it, and nobody who asks can tell. */
function mailLimit({ config, limiter }: AccountParts): (recipient: string) => Promise<boolean> {
  const { mail: policy } = namedPolicies(config.limits);
  if (policy === undefined) throw new TypeError("limits: mail is not configured");
  return async (recipient) => {
    const { allowed } = await limiter.decide([{ policy, key: `mail:${recipient}` }]);
    return allowed;
  };
}
