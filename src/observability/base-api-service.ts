import { type Attributes, type Span, SpanStatusCode } from "@opentelemetry/api";
import type { EventContext, Severity, Transaction } from "../core/index.ts";
import { toDatabaseError } from "./database-errors.ts";
import { type Observability, observability as ofProcess } from "./observability.ts";
import { redact, redactText } from "./redact.ts";
import { redactingSpan } from "./redacting-span.ts";
import { isTracing, tracer } from "./tracer.ts";

export interface ServiceOptions {
  /** Default: that of the application which was made last. */
  readonly observability?: Observability | undefined;
}

/** BaseAPIService gives a service spans, database errors without parameters, and events. */
export abstract class BaseAPIService {
  readonly #observability: Observability;

  constructor(options: ServiceOptions = {}) {
    this.#observability = options.observability ?? ofProcess;
  }

  /**
   * executeWithTracing runs `work` in a span named `<Service>.<name>`, the active one while it runs. Secrets in its
   * attributes, and in what `work` adds to the span that it is handed, are hidden as in the log; a rejection marks the span with its type and passes on. Without an OpenTelemetry SDK it costs next to nothing.
   */
  protected executeWithTracing<T>(
    name: string,
    attributes: Attributes,
    work: (span: Span) => Promise<T>,
  ): Promise<T> {
    const isHeard = isTracing();
    return tracer().startActiveSpan(
      `${this.constructor.name}.${name}`,
      { attributes: isHeard ? (redact(attributes) as Attributes) : attributes },
      async (span) => {
        try {
          return await work(isHeard ? redactingSpan(span) : span);
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute(
            "error.type",
            error instanceof Error ? redactText(error.name) : typeof error,
          );
          throw error;
        } finally {
          span.end();
        }
      },
    );
  }

  /**
   * executeDatabase runs statements in a span and a metric. A refusal passes on as it is; every other failure is an
   * UnavailableError where the database cannot answer, or a DatabaseError.
   */
  protected executeDatabase<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.executeWithTracing(operation, { "db.system.name": "postgresql" }, async () => {
      try {
        return await work();
      } catch (error) {
        throw toDatabaseError(error);
      }
    });
  }

  /** recordEvent records an event in the audit log; with `tx` it commits or rolls back with the change. */
  protected recordEvent(
    type: string,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    where: {
      readonly context?: EventContext;
      readonly tx?: Transaction;
      readonly severity?: Severity;
    } = {},
  ): Promise<void> {
    const { collector } = this.#observability.events;
    const { severity = "low" } = where;
    return collector.collectEvent(type, severity, message, data, undefined, undefined, where);
  }
}
