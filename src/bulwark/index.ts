export type {
  AuthConfig,
  BulwarkConfig,
  DatabaseConfig,
  LimitConfig,
  SmtpConfig,
} from "./config.ts";
export { configFromEnv, type ServerConfig } from "./config-from-env.ts";
export { type Bulwark, type BulwarkHandlers, createBulwark } from "./create-bulwark.ts";
