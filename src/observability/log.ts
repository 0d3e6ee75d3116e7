import { type DestinationStream, pino } from "pino";
import type { Log } from "../core/index.ts";
import { redact, redactText } from "./redact.ts";

export interface LogOptions {
  /** Default `info`. */
  readonly level?: "info" | "warn" | "error" | "silent" | undefined;
  /** Where lines go. Default: standard error, one JSON object a line. */
  readonly destination?: DestinationStream | undefined;
}

/** createLog returns a Log that writes JSON lines, every value redacted by name and by pattern. */
export function createLog(options: LogOptions = {}): Log {
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (facts) => apart(redact(facts) as Record<string, unknown>),
      },
      // `err` is written by the redaction above, cause and all.
      serializers: { err: (error: unknown) => error },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  // A caller without types may hand over anything: to tell of a fault must never be one.
  const writer =
    (level: "info" | "warn" | "error"): Log[typeof level] =>
    (facts: unknown, message: unknown) =>
      logger[level](
        typeof facts === "object" ? (facts ?? {}) : { facts },
        typeof message === "string" ? redactText(message) : "",
      );
  return { info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/** Names that a line has of its own. A fact of the same name would stand beside it, and most readers believe the last. */
const OWN_NAMES = ["level", "time", "msg"] as const;

function apart(facts: Record<string, unknown>): Record<string, unknown> {
  for (const name of OWN_NAMES) {
    if (!Object.hasOwn(facts, name)) continue;
    facts[`fact_${name}`] = facts[name];
    delete facts[name];
  }
  return facts;
}
