import type { AuditSink, EventContext, Severity, Transaction } from "../core/index.ts";
import { Metrics } from "./metrics.ts";

export interface EventCollector {
  /** collectEvent records an event in the audit log, like every other way of recording one. */
  collectEvent(
    type: string,
    severity: Severity,
    message: string,
    data?: Readonly<Record<string, unknown>>,
    source?: string,
    tags?: readonly string[],
    where?: { readonly context?: EventContext; readonly tx?: Transaction },
  ): Promise<void>;
}

/** Observability is what an application tells about itself: events and metrics. Spans go through OpenTelemetry's own API. */
export interface Observability {
  readonly events: { readonly collector: EventCollector };
  readonly metrics: Metrics;
}

/** createObservability binds the events to a sink. */
export function createObservability(audit: AuditSink, metrics = new Metrics()): Observability {
  return {
    metrics,
    events: {
      collector: {
        collectEvent: (type, severity, message, data, source, tags, where) =>
          audit.record(
            {
              type: type.replaceAll("_", "."),
              severity,
              result: severity === "low" ? "success" : "failure",
              resource: source,
              metadata: { ...data, message, ...(tags === undefined ? {} : { tags }) },
            },
            where?.context ?? {},
            where?.tx,
          ),
      },
    },
  };
}

const BOUND = Symbol.for("bulwark.observability");
const holder = globalThis as { [BOUND]?: Observability };

/** bindObservability makes an application's the one that the module-level `observability` stands for. */
export function bindObservability(own: Observability): void {
  holder[BOUND] = own;
}

function bound(): Observability {
  const own = holder[BOUND];
  if (own === undefined) throw new TypeError("observability: call createBulwark() first");
  return own;
}

/**
 * observability stands for that of the application which was made last in this process, for code that is handed none.
 * Throws a TypeError only while there is no application.
 */
export const observability: Observability = {
  get events() {
    return bound().events;
  },
  get metrics() {
    return bound().metrics;
  },
};
