import type { ErrorCode } from "./error-codes.ts";
import { BaseAPIError, type ErrorDetail, type ErrorOptions, NotFoundError } from "./errors.ts";

export interface Pagination {
  readonly page: number;
  readonly limit: number;
  readonly total: number;
  readonly totalPages: number;
  readonly hasNext: boolean;
  readonly hasPrev: boolean;
}

/** APIResult is what a handler answers, as a value: the pipeline renders it, once, with every header. */
export class APIResult<T = unknown> {
  readonly status: number;
  readonly data: T;
  readonly message: string | undefined;
  readonly pagination: Pagination | undefined;
  /** Set on a refusal alone; then nothing else of the result is sent. */
  readonly error: BaseAPIError<string> | undefined;

  constructor(
    status: number,
    data: T,
    message?: string,
    pagination?: Pagination,
    error?: BaseAPIError<string>,
  ) {
    this.status = status;
    this.data = data;
    this.message = message;
    this.pagination = pagination;
    this.error = error;
  }
}

/** One outcome of a batch, in the order of its input. */
export type BatchItem<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: string;
      readonly code: string;
      readonly details?: readonly ErrorDetail[];
    };

export interface BatchData<T> {
  readonly results: readonly BatchItem<T>[];
  readonly summary: {
    readonly total: number;
    readonly succeeded: number;
    readonly failed: number;
  };
}

/** QueryResult is what `executePaginated` and `first` of the query builder return. */
export type QueryResult<T> = { readonly data: readonly T[]; readonly pagination: Pagination };

/** ResponseBuilder makes the answers of the envelope. A handler that returns a plain value means `success(value)`. */
export class ResponseBuilder {
  /** success answers 200 with the resource. */
  static success<T>(data: T, message?: string): APIResult<T> {
    return new APIResult(200, data, message);
  }

  /** created answers 201 with the new resource. */
  static created<T>(data: T, message?: string): APIResult<T> {
    return new APIResult(201, data, message);
  }

  /** accepted answers 202: what was asked for happens later, or may not be told apart. */
  static accepted<T>(data: T, message?: string): APIResult<T> {
    return new APIResult(202, data, message);
  }

  /** updated answers 200 with the resource as it is now. */
  static updated<T>(data: T, message?: string): APIResult<T> {
    return new APIResult(200, data, message);
  }

  /** deleted answers 200 with `data: null`. */
  static deleted(message?: string): APIResult<null> {
    return new APIResult(200, null, message);
  }

  /** paginated answers 200 with one page of a list. Throws a RangeError only if a number is not a whole one in range. */
  static paginated<T>(
    items: readonly T[],
    at: { readonly page: number; readonly limit: number; readonly total: number },
    message?: string,
  ): APIResult<readonly T[]> {
    return new APIResult(200, items, message, paginationOf(at));
  }

  /** batch answers 200 where all succeeded and 207 otherwise, with each outcome in the order of the input. */
  static batch<T>(results: readonly BatchItem<T>[], message?: string): APIResult<BatchData<T>> {
    const succeeded = results.filter((result) => result.success).length;
    const summary = { total: results.length, succeeded, failed: results.length - succeeded };
    return new APIResult(summary.failed === 0 ? 200 : 207, { results, summary }, message);
  }

  /** error answers a refusal, as if the error had been thrown: by its code, or an error that is already made. */
  static error<Code extends string = ErrorCode>(
    error: Code | BaseAPIError<string>,
    message = "The request was refused.",
    options?: ErrorOptions,
  ): APIResult<null> {
    const made = typeof error === "string" ? new BaseAPIError(error, message, options) : error;
    return new APIResult(made.statusCode, null, undefined, undefined, made);
  }

  /** fromQueryResult answers a page, a list or one row; a row that is not there is NOT_FOUND. */
  static fromQueryResult<T>(result: QueryResult<T>, resource?: string): APIResult<readonly T[]>;
  static fromQueryResult<T>(
    result: T | null | undefined,
    resource?: string,
  ): APIResult<NonNullable<T>>;
  static fromQueryResult(result: unknown, resource?: string): APIResult<unknown> {
    if (result === null || result === undefined) throw new NotFoundError(resource);
    if (isPage(result)) return new APIResult(200, result.data, undefined, result.pagination);
    return new APIResult(200, result);
  }
}

const isPage = (result: unknown): result is QueryResult<unknown> =>
  typeof result === "object" &&
  result !== null &&
  Object.hasOwn(result, "data") &&
  Object.hasOwn(result, "pagination");

/** paginationOf derives the page's facts. Throws a RangeError only if a number is not a whole one in range. */
export function paginationOf(at: {
  readonly page: number;
  readonly limit: number;
  readonly total: number;
}): Pagination {
  const { page, limit, total } = at;
  for (const [name, value, least] of [
    ["page", page, 1],
    ["limit", limit, 1],
    ["total", total, 0],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`${name}: expected a whole number of at least ${least}, came ${value}`);
    }
  }
  const totalPages = Math.ceil(total / limit);
  return { page, limit, total, totalPages, hasNext: page < totalPages, hasPrev: page > 1 };
}
