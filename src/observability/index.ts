export { BaseAPIService, type ServiceOptions } from "./base-api-service.ts";
export {
  asUnavailable,
  isBadValue,
  isConflict,
  isUniqueViolation,
  toDatabaseError,
} from "./database-errors.ts";
export { createLog, type LogOptions } from "./log.ts";
export { type Counter, type Histogram, type Labels, Metrics } from "./metrics.ts";
export {
  bindObservability,
  createObservability,
  type EventCollector,
  type Observability,
  observability,
} from "./observability.ts";
export { HIDDEN, isSecret, redact, redactText } from "./redact.ts";
export { serverTracing } from "./server-span.ts";
