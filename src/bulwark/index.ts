export type { BodyConfig } from "./body-config.ts";
export type {
  AuthConfig,
  BulwarkConfig,
  DatabaseConfig,
  SmtpConfig,
} from "./config.ts";
export { configFromEnv, type ServerConfig } from "./config-from-env.ts";
export { type Bulwark, type BulwarkHandlers, createBulwark } from "./create-bulwark.ts";
export type { EdgeConfig } from "./edge-config.ts";
export type { BanConfig, LimitConfig } from "./limit-config.ts";
export type {
  Lifted,
  LiftTarget,
  LimitOperations,
  LimitOverview,
  LimitView,
  NewBan,
} from "./limit-operations.ts";
export type { ServerLimits } from "./server-limits.ts";
export { type CORSConfig, isServedOrigin } from "./wire-cors.ts";
export { type HeaderConfig, type PageAnswer, REPORTS_PATH } from "./wire-headers.ts";
