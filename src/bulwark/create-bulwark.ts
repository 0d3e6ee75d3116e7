import type { PgTable } from "drizzle-orm/pg-core";
import { type RoleAdmin, referenceAccess, type TenantAdmin } from "../access/index.ts";
import { APIKeyHandler, type APIKeyService } from "../api-keys/index.ts";
import { AuditLogger } from "../audit/index.ts";
import {
  type AccountAdmin,
  type AccountMailer,
  AuthenticatedAPIHandler,
  type AuthService,
  cookieAuthenticator,
  type FactorChanges,
  type FirstAdmin,
  HashQueue,
  ownData,
  type Passkeys,
  PasswordService,
  type Recovery,
  RefreshTokens,
  type Registration,
  type RequireRecentAuth,
  recentAuth,
  SessionStore,
  type SignIn,
  sessionAuthenticator,
  TenantSwitch,
  type TokenService,
} from "../auth/index.ts";
import {
  type AddressBans,
  type Awaitable,
  BaseAPIHandler,
  type Clock,
  type Kernel,
  type Log,
  type RequestContext,
  type StateStore,
  systemClock,
  UnavailableError,
} from "../core/index.ts";
import type { CORS } from "../cors/index.ts";
import { Sealer } from "../crypto/index.ts";
import { CSRFProtection } from "../csrf/index.ts";
import {
  bulwarkMigrations,
  createQueryBuilder,
  type Database,
  type QueryBuilder,
  type QueryBuilderOptions,
} from "../database/index.ts";
import type { DevelopmentMailbox, MailOutbox } from "../mail/index.ts";

import {
  bindObservability,
  createLog,
  createObservability,
  Metrics,
  type Observability,
  serverTracing,
} from "../observability/index.ts";
import type { RateLimiter } from "../rate-limit/index.ts";
import type { RedisRateLimiter } from "../rate-limit/redis/index.ts";
import { wireBodies } from "./body-config.ts";
import { cached } from "./cache.ts";
import { type AnyAccessModel, type BulwarkConfig, resolveConfig } from "./config.ts";
import { type LimitOperations, limitOperations } from "./limit-operations.ts";
import { warnOfShadowedRoles, wireAccess } from "./wire-access.ts";
import { wireAccounts } from "./wire-accounts.ts";
import { wireAPIKeys } from "./wire-api-keys.ts";
import { composeAuthenticators } from "./wire-auth.ts";
import { wireCors } from "./wire-cors.ts";
import { wireKeyRing } from "./wire-crypto.ts";
import { type CheckCrossSite, wireCsrf } from "./wire-csrf.ts";
import { wireDatabase } from "./wire-database.ts";
import { wireEdge } from "./wire-edge.ts";
import { type PageAnswer, wireHeaders } from "./wire-headers.ts";
import { wireLimiter } from "./wire-limiter.ts";
import { wireMail } from "./wire-mail.ts";
import { wireEventMeter, wireMeter, wireProcessMetrics } from "./wire-observability.ts";
import { wirePasskeys } from "./wire-passkeys.ts";
import { wireLimits } from "./wire-rate-limit.ts";
import { wireState } from "./wire-state.ts";
import { wireTokens } from "./wire-tokens.ts";

/** The handler classes, bound to one application's services. */
export interface BulwarkHandlers {
  readonly BaseAPIHandler: typeof BaseAPIHandler;
  readonly AuthenticatedAPIHandler: typeof AuthenticatedAPIHandler;
  /** For routes of API keys alone. */
  readonly APIKeyHandler: typeof APIKeyHandler;
  /** For routes that make a credential and need none: the session cookie is not read, since a stale one must not keep a person from signing in. */
  readonly SignInHandler: typeof BaseAPIHandler;
}

/** Bulwark is one application: one of each service, and the handlers that are bound to them. */
export interface Bulwark {
  readonly handlers: BulwarkHandlers;
  readonly mode: "production" | "development";
  readonly issuer: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly database: Database;
  /** Short-lived state: in memory, or in Redis where one is configured. */
  readonly state: StateStore;
  readonly passwords: PasswordService;
  readonly sessions: SessionStore;
  readonly tokens: TokenService;
  readonly auth: AuthService;
  readonly signIn: SignIn;
  readonly registration: Registration;
  readonly recovery: Recovery;
  readonly factorChanges: FactorChanges;
  readonly passkeys: Passkeys;
  readonly accounts: AccountAdmin;
  readonly apiKeys: APIKeyService;
  /** Roles, permissions and scopes, as the application was configured with. */
  readonly access: AnyAccessModel;
  /** Roles made at run time, and who has which role where. */
  readonly roles: RoleAdmin;
  readonly tenants: TenantAdmin;
  readonly tenantSwitch: TenantSwitch;
  readonly firstAdmin: FirstAdmin;
  readonly csrf: CSRFProtection;
  /** The allow-list of `origins` as functions, for hosts whose routes are not in a router of ours. */
  readonly cors: CORS | undefined;
  /** pageHeaders makes the headers of one page, and the nonce that its own scripts and styles carry. */
  readonly pageHeaders: () => PageAnswer;
  /** requireRecentAuth wraps handlers that need a factor to have been proved a short time ago. */
  readonly requireRecentAuth: RequireRecentAuth;
  /** The mails that a development start keeps instead of sending them. */
  readonly mailbox: DevelopmentMailbox | undefined;
  /** Queues mail to the owners of accounts. */
  readonly accountMailer: AccountMailer;
  readonly outbox: MailOutbox;
  /** Seals what must be read back, with keys of the application's secret. */
  readonly sealer: Sealer;
  /** What an administrator's action asks for. */
  readonly adminMfa: "required" | "off";
  /** checkCrossSite throws CSRF_REJECTED unless a request that asks for cookies comes from a page of ours. */
  readonly checkCrossSite: CheckCrossSite;
  readonly audit: AuditLogger;
  /** In memory, or in Redis where one is configured. */
  readonly limiter: RateLimiter | RedisRateLimiter;
  /** Addresses that are kept out. */
  readonly bans: AddressBans;
  /** What limits stand and whom they keep out, and how that is lifted. */
  readonly limits: LimitOperations;
  readonly observability: Observability;
  /** createQueryBuilder begins a query on one table, for one request. */
  createQueryBuilder<T extends PgTable>(
    table: T,
    context: RequestContext,
    options?: Omit<QueryBuilderOptions, "database" | "context">,
  ): QueryBuilder<T>;
  /** ownData returns what is stored of a user, without anything that authenticates. */
  ownData(userId: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** sweep deletes what is over and does what was put off; a server does it every ten minutes. */
  sweep(): Promise<void>;
  /** ready checks the secrets, connects and migrates, once; the first request does it where nobody else has. */
  ready(): Promise<void>;
  /** drain tells that the process is about to close: /health/ready is 503 from then on. */
  drain(): void;
  isDraining(): boolean;
  /** close ends what ready opened. Requests after it are 503. */
  close(): Promise<void>;
}

/**
 * createBulwark makes the application of a configuration. It does no I/O, and returns the same one for the same
 * configuration, since frameworks evaluate a module more than once.
 * Throws a ConfigurationError only if the configuration is not valid.
 */
export function createBulwark(config: BulwarkConfig): Bulwark {
  return cached(config, () => assemble(config));
}

function assemble(config: BulwarkConfig): Bulwark {
  const resolved = resolveConfig(config);
  const clock = config.clock ?? systemClock;
  const log = config.log ?? createLog();
  const keys = wireKeyRing(resolved);
  const state = wireState(resolved, clock, log);
  const metrics = new Metrics();
  const database = wireDatabase(resolved, log, metrics);
  const audit = new AuditLogger({ database, clock, log, onRecord: wireEventMeter(metrics) });
  const queue = new HashQueue();
  const access = config.access ?? referenceAccess;
  const { auth: authConfig, issuer } = resolved;
  const sealer = new Sealer(keys);
  const passwords = new PasswordService({
    queue,
    keys,
    algorithm: authConfig.passwordAlgorithm,
    bcryptCost: authConfig.bcryptCost,
    policy: { product: authConfig.productName, issuer, breaches: authConfig.breaches },
  });
  const sessions = new SessionStore({
    database,
    clock,
    idleTimeout: authConfig.idleTimeout,
    absoluteTimeout: authConfig.absoluteTimeout,
    maxPerUser: authConfig.maxSessions,
    rolesThatNeedMfa: authConfig.rolesThatNeedMfa,
    withSigningKeys:
      authConfig.tokenAlgorithm !== undefined && authConfig.tokenAlgorithm !== "HS256",
    onForget: () => apiKeys.forget(() => true),
  });
  const tokens = wireTokens({ config: resolved, database, keys, sealer, sessions, audit, clock });
  const refreshTokens = new RefreshTokens({ database, keys, sessions, audit, clock });
  const wired = wireLimiter({
    config: resolved,
    trustedProxies: config.trustedProxies,
    state: state.store,
    clock,
    log,
    audit,
    metrics,
    keys,
  });
  // What services decide by themselves is counted with what the routes do.
  const limiter = wired.metered;
  const mail = wireMail({ config: resolved, database, sealer, clock, log, audit, metrics });
  const passkeys = wirePasskeys(resolved, database, clock);
  const accounts = wireAccounts({
    config: resolved,
    database,
    keys,
    sealer,
    clock,
    log,
    audit,
    passwords,
    sessions,
    tokens,
    refreshTokens,
    passkeys,
    limiter,
    mailer: mail.mailer,
  });
  const apiKeys = wireAPIKeys({
    config: resolved,
    database,
    audit,
    limiter,
    mailer: mail.mailer,
    access,
    clock,
    log,
  });
  const administration = wireAccess({
    access,
    database,
    sessions,
    apiKeys,
    audit,
    clock,
  });
  const tenantSwitch = new TenantSwitch({ database, signIn: accounts.signIn, audit });
  const csrf = new CSRFProtection({ keys });
  const crossSite = wireCsrf(resolved.csrfOrigins, csrf, resolved.csrfExempt);
  const cors = wireCors(resolved.cors);
  const headers = wireHeaders(resolved);
  const edge = wireEdge({ config: resolved, trust: config, clock, log, metrics });
  const limits = wireLimits(resolved);
  const observability = createObservability(audit, metrics);
  bindObservability(observability);
  wireProcessMetrics(metrics, queue);

  const gone = (): Error => new UnavailableError("this application is closed");
  let opening: Promise<void> | undefined;
  let phase: "new" | "open" | "closed" = "new";
  const open = async (): Promise<void> => {
    keys.open();
    await database.connect([bulwarkMigrations, ...(config.migrations ?? [])]);
    await warnOfShadowedRoles(administration.roles, log);
    await state.open();
    await wired.open();
    if (phase === "closed") throw gone();
    mail.start();
    edge.open();
    phase = "open";
  };
  const ready = (): Promise<void> => {
    if (phase === "closed") return Promise.reject(gone());
    // A failed start may be tried again: the folder may be free by then.
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const prepare = (): Awaitable<void> => (phase === "open" ? undefined : ready());

  // A key as a bearer token is told by its prefix, so keys are asked for first.
  const tokensAndKeys = [apiKeys.authenticator(), sessionAuthenticator(tokens)];
  const kernel: Kernel = {
    clock,
    log,
    version: config.version ?? "1",
    maxBodyBytes: resolved.bodies.maxBytes,
    bodies: wireBodies(resolved.bodies),
    maxUrlLength: 8_192,
    responseHeaders: headers.standing,
    cors: cors?.policy,
    csrfToken: crossSite.csrfToken,
    edge: [crossSite.stage],
    admission: [limits.admission, apiKeys.admission()],
    namedLimits: limits.named,
    explainRefusals: config.explainRefusals ?? resolved.mode === "development",
    limiter: wired.metered,
    limitDefined: limits.limitDefined,
    bans: resolved.bans === "off" ? undefined : wired.metered.refusedAddresses,
    partitionOf: wired.partitionOf,
    audit,
    meter: wireMeter(metrics),
    trace: serverTracing,
    ...edge.kernel,
    authenticate: composeAuthenticators([...tokensAndKeys, cookieAuthenticator(sessions)]),
    prepare,
  };
  const withoutCookies = composeAuthenticators(tokensAndKeys, { cookies: false });
  const handlers: BulwarkHandlers = {
    BaseAPIHandler: class extends BaseAPIHandler {
      static override readonly kernel = kernel;
    },
    AuthenticatedAPIHandler: class extends AuthenticatedAPIHandler {
      static override readonly kernel = kernel;
    },
    APIKeyHandler: class extends APIKeyHandler {
      static override readonly kernel = kernel;
    },
    SignInHandler: class extends BaseAPIHandler {
      static override readonly kernel = kernel;
      static override checkAuth = withoutCookies;
    },
  };
  return {
    handlers,
    mode: resolved.mode,
    issuer: resolved.issuer,
    clock,
    log,
    database,
    state: state.store,
    passwords,
    sessions,
    tokens,
    auth: accounts.auth,
    signIn: accounts.signIn,
    registration: accounts.registration,
    recovery: accounts.recovery,
    factorChanges: accounts.factorChanges,
    passkeys,
    accounts: accounts.accounts,
    apiKeys,
    access,
    roles: administration.roles,
    tenants: administration.tenants,
    tenantSwitch,
    firstAdmin: accounts.firstAdmin,
    csrf,
    cors,
    pageHeaders: () => headers.page(),
    requireRecentAuth: recentAuth(accounts.hasSecondFactor),
    mailbox: mail.mailbox,
    adminMfa: authConfig.adminMfa,
    checkCrossSite: crossSite.check,
    audit,
    limiter: wired.limiter,
    bans: wired.bans,
    limits: limitOperations({ config: resolved, wired, limits, audit, clock }),
    observability,
    createQueryBuilder: (table, context, options) =>
      createQueryBuilder(table, { ...options, context, database }),
    ownData: (userId) => ownData(database, userId),
    accountMailer: mail.mailer,
    outbox: mail.outbox,
    sealer,
    async sweep() {
      await accounts.sweep();
      await apiKeys.sweep();
      await administration.roles.dropExpired();
    },
    ready,
    drain: edge.drain,
    isDraining: edge.isDraining,
    async close() {
      phase = "closed";
      edge.close();
      await opening?.catch(() => {});
      await accounts.settled();
      await apiKeys.close();
      await mail.stop();
      await database.close();
      await wired.close();
      await state.close();
    },
  };
}
