import { describe, expect, test } from "vitest";
import { ConflictError } from "./errors.ts";
import { type APIResult, paginationOf, ResponseBuilder } from "./response-builder.ts";

const row = { id: "1" };
const at = { page: 2, limit: 10, total: 25 };
const pagination = { ...at, totalPages: 3, hasNext: true, hasPrev: true };

interface Facts {
  readonly status: number;
  readonly data: unknown;
  readonly message?: string;
  readonly pagination?: unknown;
}

test.each<[form: string, result: APIResult, facts: Facts]>([
  ["success", ResponseBuilder.success(row), { status: 200, data: row }],
  [
    "success, a word",
    ResponseBuilder.success(row, "hi"),
    { status: 200, data: row, message: "hi" },
  ],
  ["created", ResponseBuilder.created(row), { status: 201, data: row }],
  [
    "created, a word",
    ResponseBuilder.created(row, "hi"),
    { status: 201, data: row, message: "hi" },
  ],
  ["accepted", ResponseBuilder.accepted(row), { status: 202, data: row }],
  ["updated", ResponseBuilder.updated(row), { status: 200, data: row }],
  [
    "updated, a word",
    ResponseBuilder.updated(row, "hi"),
    { status: 200, data: row, message: "hi" },
  ],
  ["deleted", ResponseBuilder.deleted(), { status: 200, data: null }],
  [
    "deleted, a word",
    ResponseBuilder.deleted("gone"),
    { status: 200, data: null, message: "gone" },
  ],
  ["paginated", ResponseBuilder.paginated([row], at), { status: 200, data: [row], pagination }],
  [
    "a query's page",
    ResponseBuilder.fromQueryResult({ data: [row], pagination }),
    { status: 200, data: [row], pagination },
  ],
  ["a query's list", ResponseBuilder.fromQueryResult([row]), { status: 200, data: [row] }],
  ["a query's empty list", ResponseBuilder.fromQueryResult([]), { status: 200, data: [] }],
  ["a query's row", ResponseBuilder.fromQueryResult(row), { status: 200, data: row }],
  ["a query's zero", ResponseBuilder.fromQueryResult(0), { status: 200, data: 0 }],
])("%s", (_form, result, facts) => {
  const { status, data, message, pagination: page, error } = result;
  expect({ status, data, message, pagination: page }).toEqual({
    message: undefined,
    pagination: undefined,
    ...facts,
  });
  expect(error).toBeUndefined();
});

describe("batch", () => {
  const good = { success: true, data: row } as const;
  const bad = { success: false, error: "no", code: "CONFLICT" } as const;

  test.each([
    ["nothing", [], 200, { total: 0, succeeded: 0, failed: 0 }],
    ["all good", [good, good], 200, { total: 2, succeeded: 2, failed: 0 }],
    ["some bad", [good, bad, good], 207, { total: 3, succeeded: 2, failed: 1 }],
    ["all bad", [bad], 207, { total: 1, succeeded: 0, failed: 1 }],
  ] as const)("%s", (_what, results, status, summary) => {
    const result = ResponseBuilder.batch(results);
    expect(result.status).toBe(status);
    expect(result.data).toEqual({ results, summary });
  });
});

describe("error", () => {
  test("by its code", () => {
    const result = ResponseBuilder.error("NOT_FOUND", "No such thing.");
    expect(result).toMatchObject({ status: 404, data: null });
    expect(result.error).toMatchObject({ code: "NOT_FOUND", message: "No such thing." });
  });

  test("by a code of one's own, with its status", () => {
    const result = ResponseBuilder.error<"TEAPOT">("TEAPOT", "m", { statusCode: 418 });
    expect(result.error).toMatchObject({ code: "TEAPOT", statusCode: 418 });
    expect(() => ResponseBuilder.error<"TEAPOT">("TEAPOT")).toThrow(RangeError);
  });

  test("by an error that is made", () => {
    const error = new ConflictError();
    expect(ResponseBuilder.error(error)).toMatchObject({ status: 409, error });
  });
});

test.each([null, undefined])("fromQueryResult(%s) is NOT_FOUND", (result) => {
  expect(() => ResponseBuilder.fromQueryResult(result, "Product")).toThrow(
    expect.objectContaining({ code: "NOT_FOUND", message: "Product not found." }),
  );
});

test.each([
  [
    { page: 1, limit: 10, total: 0 },
    { totalPages: 0, hasNext: false, hasPrev: false },
  ],
  [
    { page: 1, limit: 10, total: 10 },
    { totalPages: 1, hasNext: false, hasPrev: false },
  ],
  [
    { page: 1, limit: 10, total: 11 },
    { totalPages: 2, hasNext: true, hasPrev: false },
  ],
  [
    { page: 2, limit: 10, total: 11 },
    { totalPages: 2, hasNext: false, hasPrev: true },
  ],
  [
    { page: 9, limit: 10, total: 11 },
    { totalPages: 2, hasNext: false, hasPrev: true },
  ],
])("the pages of %o", (given, facts) => {
  expect(paginationOf(given)).toEqual({ ...given, ...facts });
});

test.each([
  ["page", { page: 0, limit: 10, total: 1 }],
  ["page", { page: 1.5, limit: 10, total: 1 }],
  ["page", { page: Number.NaN, limit: 10, total: 1 }],
  ["limit", { page: 1, limit: 0, total: 1 }],
  ["limit", { page: 1, limit: Number.POSITIVE_INFINITY, total: 1 }],
  ["total", { page: 1, limit: 10, total: -1 }],
])("%s out of range is refused by name", (name, given) => {
  expect(() => ResponseBuilder.paginated([], given)).toThrow(RangeError);
  expect(() => ResponseBuilder.paginated([], given)).toThrow(`${name}: expected a whole number`);
});
