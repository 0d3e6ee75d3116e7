import { sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  type EventContext,
  type Log,
  parseDuration,
  readHeader,
  type SecurityEvent,
  systemClock,
  type Transaction,
  uuidv7,
} from "../core/index.ts";
import { type Database, insideTransaction } from "../database/index.ts";
import { HIDDEN, isSecret, redactText } from "../observability/index.ts";
import { RefusalThrottle } from "./refusal-throttle.ts";

export interface AuditLoggerOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
  readonly log?: Log | undefined;
  /** Hears of each event after it was written, for metrics. */
  readonly onRecord?: ((event: SecurityEvent) => void) | undefined;
}

const MAX_TEXT = 1_024;
const MAX_METADATA = 8_192;
const SEVERITIES: ReadonlySet<string> = new Set(["low", "medium", "high", "critical"]);
const EVENT_TYPE = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/;

/**
 * AuditLogger writes security events to the audit log. With a transaction the row commits or rolls back with the change;
 * without one it is durable when the promise resolves.
 */
export class AuditLogger implements AuditSink {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #onRecord: ((event: SecurityEvent) => void) | undefined;
  readonly #refusals = new RefusalThrottle({ rows: 10, windowMs: parseDuration("1m") });

  constructor(options: AuditLoggerOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.#onRecord = options.onRecord;
  }

  /**
   * logSecurityEvent records one event. Rejects with a TypeError only if the event is malformed, or if it is called
   * without `tx` while a transaction is open, where it could not be durable by itself.
   */
  async logSecurityEvent(
    event: SecurityEvent,
    context: EventContext,
    tx?: Transaction,
  ): Promise<void> {
    await this.record(event, context, tx);
  }

  async record(event: SecurityEvent, context: EventContext, tx?: Transaction): Promise<void> {
    checkEvent(event);
    if (tx === undefined && insideTransaction()) {
      throw new TypeError(`audit ${event.type}: hand over the transaction that is open`);
    }
    const now = this.#clock.now();
    const statement = insertOf(event, context, now, this.#bucketOf(event, context, now));
    if (tx === undefined) await this.#database.run((orm) => orm.execute(statement));
    else await tx.execute(statement);
    this.#onRecord?.(event);
    if (event.severity === "critical") {
      this.#log?.error({ event: event.type, resource: event.resource }, "critical security event");
    }
  }

  /** Refusals of strangers past the first ones of a minute share one counted row, so that nobody can fill the log. */
  #bucketOf(event: SecurityEvent, context: EventContext, now: number): string | undefined {
    if (event.result === "success" || userOf(context) !== undefined) return undefined;
    return this.#refusals.bucketOf([event.type, event.resource, context.address], now);
  }
}

function checkEvent(event: SecurityEvent): void {
  if (!EVENT_TYPE.test(event.type) || event.type.length > 128) {
    throw new TypeError(`audit: type: expected <area>.<what>, came ${JSON.stringify(event.type)}`);
  }
  if (!SEVERITIES.has(event.severity)) {
    throw new TypeError(`audit ${event.type}: severity: came ${JSON.stringify(event.severity)}`);
  }
}

const userOf = (context: EventContext): string | undefined =>
  context.userId ??
  (context.principal !== undefined && "userId" in context.principal
    ? context.principal.userId
    : undefined);

function insertOf(event: SecurityEvent, context: EventContext, now: number, bucket?: string) {
  const { principal } = context;
  const sessionId = principal?.kind === "user" ? principal.sessionId : null;
  const keyId = principal !== undefined && "keyId" in principal ? principal.keyId : null;
  const agent = readHeader(context, "user-agent");
  return sql`
    INSERT INTO bulwark.audit_events
      (id, at, type, severity, result, user_id, session_id, key_id,
       address, agent, request_id, resource, action, metadata, bucket)
    VALUES
      (${uuidv7(now)}, ${new Date(now).toISOString()}::timestamptz, ${event.type}, ${event.severity}, ${event.result},
       ${userOf(context) ?? null}, ${sessionId}, ${keyId}, ${text(context.address)}, ${text(agent)},
       ${text(context.requestId)}, ${text(event.resource)}, ${text(event.action)},
       ${metadataOf(event)}::jsonb, ${bucket ?? null})
    ON CONFLICT (bucket) DO UPDATE SET count = bulwark.audit_events.count + 1`;
}

/**
 * PostgreSQL's text holds no NUL, and a row has no use for more than a kibi of it. Others' words may hold a secret that stands in the
 * wrong place, such as a key in a path: it is hidden.
 */
const text = (value: string | null | undefined): string | null =>
  value == null
    ? null
    : redactText(value.slice(0, MAX_TEXT)).replaceAll("\0", "\uFFFD").toWellFormed();

/** Unlike a line of the log a row is never cut within: what is hidden is hidden by name or by pattern, and the rest stands. */
function shown(name: string, value: unknown): unknown {
  if (name !== "" && isSecret(name, value)) return HIDDEN;
  return typeof value === "string" ? redactText(value) : value;
}

function metadataOf(event: SecurityEvent): string {
  const json = JSON.stringify(event.metadata ?? {}, shown).replaceAll("\\u0000", "\\ufffd");
  if (json.length <= MAX_METADATA) return json;
  return JSON.stringify({ truncated: true, length: json.length });
}
