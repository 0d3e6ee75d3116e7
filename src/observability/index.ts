export { createLog, type LogOptions } from "./log.ts";
export { redact, redactText } from "./redact.ts";
