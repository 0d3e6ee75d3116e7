export { requireRoles } from "./access/index.ts";
export { APIKeyHandler, APIKeyService, apiKeyPattern } from "./api-keys/index.ts";
export { AuditLogger } from "./audit/index.ts";
export {
  AuthenticatedAPIHandler,
  AuthService,
  PasswordSchema,
  PasswordService,
  TokenService,
} from "./auth/index.ts";
export {
  type Bulwark,
  type BulwarkConfig,
  configFromEnv,
  createBulwark,
} from "./bulwark/index.ts";
export {
  BaseAPIError,
  BaseAPIHandler,
  ConflictError,
  createRouter,
  DatabaseError,
  ExternalServiceError,
  ForbiddenError,
  NotFoundError,
  RateLimitError,
  type RequestContext,
  ResponseBuilder,
  type Route,
  UnauthorizedError,
  UnavailableError,
  ValidationError,
  withAddressList,
} from "./core/index.ts";
export { createCORS } from "./cors/index.ts";
export { CSRFProtection, withCSRFProtection } from "./csrf/index.ts";
export { securityHeaders, setSecurityHeaders } from "./headers/index.ts";
export { RateLimiter, withRateLimit } from "./rate-limit/index.ts";
