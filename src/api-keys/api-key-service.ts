import {
  type AuditSink,
  type Authenticator,
  type AuthInfo,
  type AuthResult,
  type Awaitable,
  type Clock,
  type EventContext,
  isPromise,
  type Limiter,
  type Log,
  type Principal,
  RateLimitError,
  type RequestContext,
  type Stage,
  systemClock,
  UnauthorizedError,
  type Verdict,
} from "../core/index.ts";
import { sha256 } from "../crypto/index.ts";
import type { Database } from "../database/index.ts";
import { type APIKeyConfig, keySettings } from "./key-config.ts";
import {
  type APIKeyData,
  type KeyAccess,
  type KeyEntry,
  type KeyRefusal,
  refusalFor,
} from "./key-entry.ts";
import { KeyManager } from "./key-manager.ts";
import { KeyStore } from "./key-store.ts";
import { idOf, keyParser } from "./key-text.ts";
import { LeakReports, type LeakReportsOptions } from "./leak-reports.ts";
import { QuotaLeases, untilNextMonth } from "./quota-leases.ts";
import { UsageRecorder } from "./usage-recorder.ts";

export interface APIKeyServiceOptions extends APIKeyConfig {
  readonly database: Database;
  readonly audit: AuditSink;
  readonly limiter: Limiter;
  readonly access: KeyAccess;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
  /** Tells the owner of a leaked key. Default: nobody is told. */
  readonly notify?: LeakReportsOptions["notify"] | undefined;
}

/** What the shower of a key is seen as. */
export interface KeyUse {
  /** The client's address; where it is unknown, a key with a list of addresses is refused. */
  readonly address?: string | undefined;
  readonly requestId?: string | undefined;
}

/** What was decided on a key that was shown: good, or why not. */
type Decision = Good | Refused;

interface Good {
  readonly entry: KeyEntry;
  readonly refusal?: undefined;
}

interface Refused {
  readonly refusal: KeyRefusal | "malformed";
  /** The key, where there is one of the id. */
  readonly entry?: KeyEntry | undefined;
  readonly idText?: string | undefined;
}

const REFUSED: AuthResult = { isAuthenticated: false, reason: "refused" };
const ABSENT: AuthResult = { isAuthenticated: false, reason: "absent" };

/**
 * APIKeyService decides on API keys. Of a key only the SHA-256 of its secret is stored. A text that is no key of this application, by
 * form, environment or checksum, is refused without a read; every other one is read with its owner, so that what ended the key, or
 * took a role from its owner, stands at the next request.
 */
export class APIKeyService extends KeyManager {
  /** Ends keys that were found in public. */
  readonly leaks: LeakReports;
  readonly #clock: Clock;
  readonly #audit: AuditSink;
  readonly #limiter: Limiter;
  readonly #log: Log | undefined;
  readonly #environment: string;
  readonly #bearer: string | undefined;
  readonly #parse: ReturnType<typeof keyParser>;
  readonly #store: KeyStore;
  readonly #usage: UsageRecorder;
  readonly #quotas: QuotaLeases;
  readonly #entries = new WeakMap<Principal, KeyEntry>();

  constructor(options: APIKeyServiceOptions) {
    const { database, audit, access, log, clock = systemClock } = options;
    const settings = keySettings(options);
    super({ database, audit, access, clock, settings });
    this.#clock = clock;
    this.#audit = audit;
    this.#limiter = options.limiter;
    this.#log = log;
    this.#environment = settings.environment;
    this.#bearer = settings.bearer ? `${settings.prefix}_` : undefined;
    this.#parse = keyParser(settings.prefix);
    this.#store = new KeyStore({ database, clock, access, ceiling: settings.limit });
    this.#quotas = new QuotaLeases({ database, clock });
    this.#usage = new UsageRecorder({ database, clock, log, onFlush: () => this.#giveBack() });
    this.leaks = new LeakReports({
      database,
      clock,
      audit,
      settings,
      parse: this.#parse,
      notify: options.notify ?? (async () => {}),
      onChange: (keyId) => this.changed(keyId),
    });
  }

  protected override changed(keyId: string): void {
    this.forget((key) => key.keyId === keyId);
  }

  /**
   * validateAPIKey decides on one use of a key, its limits and its quota included, and counts it. Throws an UnauthorizedError only if
   * the key is not good, a RateLimitError only if a limit or the quota is used up, and whatever the store throws when it cannot say.
   */
  validateAPIKey(key: string, use: KeyUse = {}): Promise<APIKeyData> {
    return this.executeWithTracing("validateAPIKey", {}, async () => {
      const deciding = this.#decide(key, use.address);
      const decision = isPromise(deciding) ? await deciding : deciding;
      if (decision.refusal !== undefined) {
        await this.#recordRefusal(decision, use);
        throw new UnauthorizedError("The API key is not valid.");
      }
      const { entry } = decision;
      const verdict = this.#limiter.decide(entry.limitRequests);
      checkVerdict(isPromise(verdict) ? await verdict : verdict);
      const charged = this.#charge(entry);
      if (isPromise(charged)) await charged;
      return entry.data;
    });
  }

  /** authenticator admits keys in `x-api-key`, and as bearer tokens where that is configured; limits and quota are decided behind it. */
  authenticator(): Authenticator {
    return {
      authenticate: (request, info) => {
        const get = (name: string): string | null =>
          info.get === undefined ? request.headers.get(name) : info.get(name);
        const key = get("x-api-key") ?? this.#bearerOf(get);
        if (key === undefined) return ABSENT;
        const decision = this.#decide(key, info.address);
        return isPromise(decision)
          ? decision.then((settled) => this.#answer(settled, info, request))
          : this.#answer(decision, info, request);
      },
    };
  }

  /** admission is the stage that takes a request from the quota of its key and counts it, behind the limits. */
  admission(): Stage {
    return {
      phase: "limit",
      policy: { name: "apiKeyQuota", options: undefined },
      bind: () => (context: RequestContext) => {
        const { principal } = context;
        if (principal === undefined || principal.via !== "key") return "pass";
        const entry = this.#entries.get(principal);
        if (entry === undefined) return "pass";
        const charged = this.#charge(entry);
        return isPromise(charged) ? charged.then(() => "pass") : "pass";
      },
    };
  }

  /** forget drops what memory knows of keys; to be called when accounts, roles or memberships of their owners were changed. */
  forget(matches: (key: APIKeyData) => boolean): void {
    this.#store.forget((entry) => matches(entry.data));
  }

  /** flush writes what was counted; otherwise that happens every ten seconds. */
  flush(): Promise<void> {
    return this.#usage.flush();
  }

  /** close writes what was counted, and gives back what was taken of quotas; that it could not is logged. */
  async close(): Promise<void> {
    try {
      await this.#usage.close();
      await this.#quotas.giveBack("all");
    } catch (err) {
      this.#log?.warn({ err }, "the use of API keys could not be written; the last of it is lost");
    }
  }

  #bearerOf(get: (name: string) => string | null): string | undefined {
    if (this.#bearer === undefined) return undefined;
    const token = /^Bearer +(\S+)$/i.exec(get("authorization") ?? "")?.[1];
    return token?.startsWith(this.#bearer) ? token : undefined;
  }

  #decide(key: string, address: string | undefined): Awaitable<Decision> {
    const text = this.#parse(key);
    if (text === undefined || text.environment !== this.#environment) {
      return { refusal: "malformed" };
    }
    const { idText } = text;
    const digest = sha256(text.secret);
    const judge = (entry: KeyEntry | undefined): Decision => {
      const refusal = refusalFor(entry, { digest, now: this.#clock.now(), address });
      if (refusal !== undefined || entry === undefined) {
        return { refusal: refusal ?? "unknown", entry, idText };
      }
      return { entry };
    };
    const entry = this.#store.find(idText);
    return isPromise(entry) ? entry.then(judge) : judge(entry);
  }

  #answer(decision: Decision, info: AuthInfo, request: Request): Awaitable<AuthResult> {
    if (decision.refusal !== undefined) {
      if (decision.refusal === "malformed") return REFUSED;
      const { address, requestId } = info;
      return this.#recordRefusal(decision, { address, requestId, request }).then(() => REFUSED);
    }
    const { principal } = decision.entry;
    this.#entries.set(principal, decision.entry);
    return { isAuthenticated: true, principal };
  }

  /** Takes one request of the quota, if there is one, and counts it. */
  #charge(entry: KeyEntry): Awaitable<void> {
    const { keyId } = entry.data;
    if (entry.monthlyQuota === undefined) return this.#usage.record(keyId, this.#clock.now());
    const taken = this.#quotas.take(keyId);
    return isPromise(taken)
      ? taken.then((isTaken) => this.#count(keyId, isTaken))
      : this.#count(keyId, taken);
  }

  #count(keyId: string, isTaken: boolean): void {
    const now = this.#clock.now();
    if (!isTaken) throw new RateLimitError(untilNextMonth(now), ["monthly-quota"]);
    this.#usage.record(keyId, now);
  }

  /** What is no key at all was told apart without a read, and is recorded by whoever refuses the request. */
  async #recordRefusal(decision: Refused, context: EventContext): Promise<void> {
    const { refusal, entry, idText } = decision;
    if (refusal === "malformed") return;
    const event = {
      type: "apikey.refused",
      severity: refusal === "secret" ? "high" : "medium",
      result: "blocked",
      resource: entry === undefined ? "api-key:unknown" : `api-key:${entry.data.keyId}`,
      action: "authenticate",
      metadata: { reason: refusal, ...(entry === undefined ? { id: idOf(idText ?? "") } : {}) },
    } as const;
    try {
      await this.#audit.record(event, context);
    } catch (err) {
      this.#log?.error(
        { err, requestId: context.requestId },
        "a refused API key could not be recorded",
      );
    }
  }

  async #giveBack(): Promise<void> {
    await this.#quotas.giveBack("idle");
    if (!this.#quotas.isIdle) this.#usage.schedule();
  }
}

function checkVerdict(verdict: Verdict): void {
  if (!verdict.allowed) throw new RateLimitError(verdict.retryAfterMs / 1_000, verdict.violated);
}
