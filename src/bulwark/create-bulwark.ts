import type { PgTable } from "drizzle-orm/pg-core";
import { AuditLogger } from "../audit/index.ts";
import {
  AuthenticatedAPIHandler,
  AuthService,
  FirstAdmin,
  HashQueue,
  PasswordService,
  SessionStore,
  sessionAuthenticator,
  TokenService,
} from "../auth/index.ts";
import {
  type Awaitable,
  BaseAPIHandler,
  type Clock,
  clientAddressReader,
  hostCheck,
  type Kernel,
  type Log,
  type RequestContext,
  type StateStore,
  systemClock,
  UnavailableError,
} from "../core/index.ts";
import {
  bulwarkMigrations,
  createQueryBuilder,
  type Database,
  type QueryBuilder,
  type QueryBuilderOptions,
} from "../database/index.ts";
import { apiHeaders } from "../headers/index.ts";
import {
  bindObservability,
  createLog,
  createObservability,
  Metrics,
  type Observability,
} from "../observability/index.ts";
import { RateLimiter } from "../rate-limit/index.ts";
import { cached } from "./cache.ts";
import { type BulwarkConfig, resolveConfig } from "./config.ts";
import { composeAuthenticators } from "./wire-auth.ts";
import { wireKeyRing } from "./wire-crypto.ts";
import { wireDatabase } from "./wire-database.ts";
import {
  meteredLimiter,
  wireEventMeter,
  wireMeter,
  wireProcessMetrics,
} from "./wire-observability.ts";
import { wireLimits } from "./wire-rate-limit.ts";
import { wireState } from "./wire-state.ts";

/** The handler classes, bound to one application's services. */
export interface BulwarkHandlers {
  readonly BaseAPIHandler: typeof BaseAPIHandler;
  readonly AuthenticatedAPIHandler: typeof AuthenticatedAPIHandler;
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
  readonly firstAdmin: FirstAdmin;
  readonly audit: AuditLogger;
  readonly limiter: RateLimiter;
  readonly observability: Observability;
  /** createQueryBuilder begins a query on one table, for one request. */
  createQueryBuilder<T extends PgTable>(
    table: T,
    context: RequestContext,
    options?: Omit<QueryBuilderOptions, "database">,
  ): QueryBuilder<T>;
  /** ready checks the secrets, connects and migrates, once; the first request does it where nobody else has. */
  ready(): Promise<void>;
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
  const passwords = new PasswordService({ queue });
  const sessions = new SessionStore({ database, clock });
  const tokens = new TokenService({ keys, sessions, issuer: resolved.issuer, clock });
  const auth = new AuthService({ database, passwords, sessions, tokens, audit, clock });
  const firstAdmin = new FirstAdmin({ database, auth, clock });
  const limiter = new RateLimiter({ clock });
  const limits = wireLimits(resolved);
  const observability = createObservability(audit, metrics);
  bindObservability(observability);
  wireProcessMetrics(metrics, queue);

  let opening: Promise<void> | undefined;
  let phase: "new" | "open" | "closed" = "new";
  const open = async (): Promise<void> => {
    keys.open();
    await database.connect([bulwarkMigrations, ...(config.migrations ?? [])]);
    await state.open();
    phase = "open";
  };
  const ready = (): Promise<void> => {
    if (phase === "closed")
      return Promise.reject(new UnavailableError("this application is closed"));
    // A failed start may be tried again: the folder may be free by then.
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  const prepare = (): Awaitable<void> => (phase === "open" ? undefined : ready());

  const kernel: Kernel = {
    clock,
    log,
    version: config.version ?? "1",
    maxBodyBytes: 1_048_576,
    maxUrlLength: 8_192,
    responseHeaders: apiHeaders({ hsts: resolved.mode === "production" }),
    edge: [],
    admission: [limits.admission],
    namedLimits: limits.named,
    limiter: meteredLimiter(limiter, metrics),
    audit,
    meter: wireMeter(metrics),
    isHostAllowed: hostCheck(resolved.hosts),
    clientAddress: clientAddressReader(config),
    authenticate: composeAuthenticators([sessionAuthenticator(tokens)]),
    prepare,
  };
  const handlers: BulwarkHandlers = {
    BaseAPIHandler: class extends BaseAPIHandler {
      static override readonly kernel = kernel;
    },
    AuthenticatedAPIHandler: class extends AuthenticatedAPIHandler {
      static override readonly kernel = kernel;
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
    auth,
    firstAdmin,
    audit,
    limiter,
    observability,
    createQueryBuilder: (table, _context, options) =>
      createQueryBuilder(table, { ...options, database }),
    ready,
    async close() {
      phase = "closed";
      await opening?.catch(() => {});
      await database.close();
      await state.close();
    },
  };
}
