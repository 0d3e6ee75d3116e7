import { describe, expect, test } from "vitest";
import { ERROR_STATUS, statusTitle } from "./error-codes.ts";
import {
  BaseAPIError,
  ConfigurationError,
  ConflictError,
  DatabaseError,
  ExternalServiceError,
  ForbiddenError,
  NotFoundError,
  RateLimitError,
  UnauthorizedError,
  UnavailableError,
  ValidationError,
} from "./errors.ts";

/** The table of the API reference, written out: a code never changes its status. */
const TABLE = {
  VALIDATION_ERROR: 400,
  INVALID_REQUEST: 400,
  INVALID_PARAMETER: 400,
  UNAUTHORIZED: 401,
  TOKEN_EXPIRED: 401,
  INVALID_CREDENTIALS: 401,
  REAUTHENTICATION_REQUIRED: 401,
  FORBIDDEN: 403,
  MFA_REQUIRED: 403,
  CSRF_REJECTED: 403,
  ACCOUNT_LOCKED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  URI_TOO_LONG: 414,
  UNSUPPORTED_MEDIA_TYPE: 415,
  MISDIRECTED_REQUEST: 421,
  RATE_LIMIT_EXCEEDED: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL_ERROR: 500,
  DATABASE_ERROR: 500,
  EXTERNAL_SERVICE_ERROR: 502,
  SERVICE_UNAVAILABLE: 503,
} as const;

test.each(Object.entries(TABLE))("%s is %i", (code, status) => {
  expect(new BaseAPIError(code as keyof typeof TABLE, "m").statusCode).toBe(status);
  expect(statusTitle(status)).not.toBe("Error");
});

test("there are no other codes", () => expect(ERROR_STATUS).toEqual(TABLE));

test.each<[error: BaseAPIError<string>, name: string, code: string, status: number]>([
  [new ValidationError([]), "ValidationError", "VALIDATION_ERROR", 400],
  [new UnauthorizedError(), "UnauthorizedError", "UNAUTHORIZED", 401],
  [
    new UnauthorizedError("m", { code: "TOKEN_EXPIRED" }),
    "UnauthorizedError",
    "TOKEN_EXPIRED",
    401,
  ],
  [new ForbiddenError(), "ForbiddenError", "FORBIDDEN", 403],
  [new ForbiddenError("m", { code: "MFA_REQUIRED" }), "ForbiddenError", "MFA_REQUIRED", 403],
  [new NotFoundError(), "NotFoundError", "NOT_FOUND", 404],
  [new ConflictError(), "ConflictError", "CONFLICT", 409],
  [new RateLimitError(1), "RateLimitError", "RATE_LIMIT_EXCEEDED", 429],
  [new DatabaseError("m"), "DatabaseError", "DATABASE_ERROR", 500],
  [new ExternalServiceError("smtp"), "ExternalServiceError", "EXTERNAL_SERVICE_ERROR", 502],
  [new UnavailableError("m"), "UnavailableError", "SERVICE_UNAVAILABLE", 503],
])("%s is a %s with %s, %i", (error, name, code, status) => {
  expect(error).toBeInstanceOf(BaseAPIError);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name, code, statusCode: status });
});

describe("a code of one's own", () => {
  test("states its status", () => {
    const error = new BaseAPIError<"INSUFFICIENT_FUNDS">("INSUFFICIENT_FUNDS", "Too little.", {
      statusCode: 402,
    });
    expect(error).toMatchObject({ code: "INSUFFICIENT_FUNDS", statusCode: 402 });
  });

  test.each<[code: string, statusCode: number | undefined]>([
    ["INSUFFICIENT_FUNDS", undefined],
    ["constructor", undefined],
    ["__proto__", undefined],
    ["X", 200],
    ["X", 399],
    ["X", 600],
    ["X", 402.5],
    ["X", Number.NaN],
    ["NOT_FOUND", 302],
  ])("%s with %s is refused", (code, statusCode) => {
    expect(() => new BaseAPIError<string>(code, "m", { statusCode })).toThrow(RangeError);
    expect(() => new BaseAPIError<string>(code, "m", { statusCode })).toThrow(
      `${code}: expected a statusCode from 400 to 599, came ${statusCode}`,
    );
  });

  test("a subclass keeps its own name", () => {
    class Broke extends BaseAPIError<"BROKE"> {
      constructor() {
        super("BROKE", "m", { statusCode: 402 });
      }
    }
    expect(new Broke().name).toBe("Broke");
  });
});

test("a cause is kept, and none is not an undefined one", () => {
  const cause = new Error("inside");
  expect(new BaseAPIError("CONFLICT", "m", { cause }).cause).toBe(cause);
  expect(Object.hasOwn(new BaseAPIError("CONFLICT", "m"), "cause")).toBe(false);
});

test("NotFoundError names the kind of thing, and its id for the log alone", () => {
  const error = new NotFoundError("Product", "17");
  expect(error.message).toBe("Product not found.");
  expect(error.id).toBe("17");
});

test.each([
  [0, "1"],
  [-5, "1"],
  [0.2, "1"],
  [1.2, "2"],
  [60, "60"],
])("RateLimitError(%d) says Retry-After: %s", (seconds, header) => {
  const error = new RateLimitError(seconds, ["login"]);
  expect(error.headers).toEqual({ "retry-after": header });
  expect(error.retryAfter).toBe(Number(header));
  expect(error.violatedPolicies).toEqual(["login"]);
});

test("UnavailableError says when to come back, beside other headers", () => {
  expect(new UnavailableError("m").headers).toEqual({ "retry-after": "5" });
  const error = new UnavailableError("m", { retryAfter: 2, headers: { "x-a": "b" } });
  expect(error.headers).toEqual({ "x-a": "b", "retry-after": "2" });
});

test("ConfigurationError is a TypeError that lists every problem", () => {
  const error = new ConfigurationError(["a: expected 1, came 2", "b: expected 3, came 4"]);
  expect(error).toBeInstanceOf(TypeError);
  expect(error.name).toBe("ConfigurationError");
  expect(error.message).toBe(
    "The configuration is not valid:\n  a: expected 1, came 2\n  b: expected 3, came 4",
  );
});
