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
        log: (facts) => redact(facts) as Record<string, unknown>,
      },
      // `err` is written by the redaction above, cause and all.
      serializers: { err: (error: unknown) => error },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
  return {
    info: (facts, message) => logger.info(facts, redactText(message)),
    warn: (facts, message) => logger.warn(facts, redactText(message)),
    error: (facts, message) => logger.error(facts, redactText(message)),
  };
}
