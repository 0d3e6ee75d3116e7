import { ERROR_STATUS, type ErrorCode } from "./error-codes.ts";

/** One fault of an input. `field` is a dotted path, empty for the input as a whole. */
export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
  readonly code: string;
}

export interface ErrorOptions {
  /** HTTP status, 400 to 599. Default: the status of the code; a code of your own must state it. */
  readonly statusCode?: number | undefined;
  /** What was wrong with each field; at most 50 reach the client. */
  readonly details?: readonly ErrorDetail[] | undefined;
  /** The underlying error. It is logged and never leaves the process. */
  readonly cause?: unknown;
  /** Response headers that belong to this refusal, such as `Allow` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * BaseAPIError is a refusal with a stable code. Its message reaches the client, except for a status
 * of 500 and above, where the client gets a fixed sentence and the log gets the message.
 * Throws a RangeError only if a code that is not Bulwark's own comes without a `statusCode`.
 */
export class BaseAPIError<Code extends string = ErrorCode> extends Error {
  readonly code: Code;
  readonly statusCode: number;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    const known = Object.hasOwn(ERROR_STATUS, code) ? ERROR_STATUS[code as ErrorCode] : undefined;
    const status = options.statusCode ?? known;
    if (status === undefined || !Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`${code}: expected a statusCode from 400 to 599, came ${status}`);
    }
    this.statusCode = status;
    this.details = options.details;
    this.headers = options.headers;
  }
}

/** ValidationError (400) says which fields of an input were refused, and why. */
export class ValidationError extends BaseAPIError<"VALIDATION_ERROR"> {
  constructor(details: readonly ErrorDetail[], message = "The input is not valid.") {
    super("VALIDATION_ERROR", message, { details });
  }
}

type UnauthorizedCode =
  | "UNAUTHORIZED"
  | "TOKEN_EXPIRED"
  | "INVALID_CREDENTIALS"
  | "REAUTHENTICATION_REQUIRED";

/** UnauthorizedError (401): no credentials, or none that can be accepted (RFC 9110 section 15.5.2). */
export class UnauthorizedError extends BaseAPIError<UnauthorizedCode> {
  constructor(
    message = "Authentication is required.",
    options: ErrorOptions & { readonly code?: UnauthorizedCode } = {},
  ) {
    super(options.code ?? "UNAUTHORIZED", message, options);
  }
}

type ForbiddenCode = "FORBIDDEN" | "MFA_REQUIRED" | "CSRF_REJECTED" | "ACCOUNT_LOCKED";

/** ForbiddenError (403): known, and not allowed. */
export class ForbiddenError extends BaseAPIError<ForbiddenCode> {
  constructor(
    message = "This is not allowed.",
    options: ErrorOptions & { readonly code?: ForbiddenCode } = {},
  ) {
    super(options.code ?? "FORBIDDEN", message, options);
  }
}

/** NotFoundError (404): `new NotFoundError('Product', id)`. The id stays in `id`, for the log alone. */
export class NotFoundError extends BaseAPIError<"NOT_FOUND"> {
  readonly id: string | undefined;

  constructor(resource = "Resource", id?: string) {
    super("NOT_FOUND", `${resource} not found.`);
    this.id = id;
  }
}

/** ConflictError (409): the state of the resource does not allow it. */
export class ConflictError extends BaseAPIError<"CONFLICT"> {
  constructor(message = "The resource is in another state.", options: ErrorOptions = {}) {
    super("CONFLICT", message, options);
  }
}

/** RateLimitError (429): `new RateLimitError(seconds)`, sent as `Retry-After`, whole seconds, at least 1. */
export class RateLimitError extends BaseAPIError<"RATE_LIMIT_EXCEEDED"> {
  readonly retryAfter: number;
  readonly violatedPolicies: readonly string[];

  constructor(retryAfter: number, violatedPolicies: readonly string[] = []) {
    const seconds = Math.max(1, Math.ceil(retryAfter));
    super("RATE_LIMIT_EXCEEDED", "Too many requests.", {
      headers: { "retry-after": String(seconds) },
    });
    this.retryAfter = seconds;
    this.violatedPolicies = violatedPolicies;
  }
}

/** DatabaseError (500): a statement failed. The message is for the log. */
export class DatabaseError extends BaseAPIError<"DATABASE_ERROR"> {
  constructor(message: string, options: ErrorOptions = {}) {
    super("DATABASE_ERROR", message, options);
  }
}

/** ExternalServiceError (502): a service that we call failed. The message is for the log. */
export class ExternalServiceError extends BaseAPIError<"EXTERNAL_SERVICE_ERROR"> {
  readonly service: string;

  constructor(service: string, options: ErrorOptions = {}) {
    super("EXTERNAL_SERVICE_ERROR", `${service} failed`, options);
    this.service = service;
  }
}

/** UnavailableError (503, `Retry-After`): what decides cannot be reached, or has no room; so it refuses. */
export class UnavailableError extends BaseAPIError<"SERVICE_UNAVAILABLE"> {
  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number } = {}) {
    super("SERVICE_UNAVAILABLE", message, {
      ...options,
      headers: { ...options.headers, "retry-after": String(options.retryAfter ?? 5) },
    });
  }
}

/**
 * ConfigurationError lists what is wrong with a configuration: the field, what was expected, what came.
 * It is a programmer's or an operator's error, is thrown before anything starts, and never holds a secret's value.
 */
export class ConfigurationError extends TypeError {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    this.problems = problems;
  }
}
