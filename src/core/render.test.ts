import { describe, expect, test } from "vitest";
import {
  BaseAPIError,
  DatabaseError,
  ExternalServiceError,
  NotFoundError,
  RateLimitError,
  UnavailableError,
  ValidationError,
} from "./errors.ts";
import { asAPIError, renderError, renderResult } from "./render.ts";
import { ResponseBuilder } from "./response-builder.ts";

const envelope = { requestId: "req-12345678", timestamp: "2026-01-02T03:04:05.006Z", version: "1" };
const meta = { timestamp: envelope.timestamp, version: "1", requestId: envelope.requestId };
const PROBLEM = "application/problem+json";

const bodyOf = (
  error: BaseAPIError<string>,
  accept: string | null = null,
): Record<string, unknown> =>
  JSON.parse(renderError(error, envelope, accept).text) as Record<string, unknown>;

describe("success", () => {
  test.each<[what: string, value: unknown, status: number, body: object]>([
    ["a plain value", { a: 1 }, 200, { data: { a: 1 } }],
    ["a list", [1, 2], 200, { data: [1, 2] }],
    ["nothing", undefined, 200, { data: null }],
    ["null", null, 200, { data: null }],
    ["a function, which has no JSON", () => 1, 200, { data: null }],
    ["the word of a stage", "pass", 200, { data: "pass" }],
    [
      "a created one",
      ResponseBuilder.created({ a: 1 }, 'a "word"'),
      201,
      { data: { a: 1 }, message: 'a "word"' },
    ],
    ["an empty word", ResponseBuilder.success(1, ""), 200, { data: 1, message: "" }],
    [
      "a page",
      ResponseBuilder.paginated(["x"], { page: 1, limit: 1, total: 2 }),
      200,
      {
        data: ["x"],
        pagination: { page: 1, limit: 1, total: 2, totalPages: 2, hasNext: true, hasPrev: false },
      },
    ],
  ])("%s", (_what, value, status, body) => {
    const rendered = renderResult(value, envelope);
    expect(rendered.status).toBe(status);
    expect(rendered.contentType).toBe("application/json; charset=utf-8");
    expect(JSON.parse(rendered.text)).toEqual({ success: true, ...body, meta });
  });

  test("JSON is not HTML: a < b survives", () => {
    expect(JSON.parse(renderResult("a < b && <script>", envelope).text)).toMatchObject({
      data: "a < b && <script>",
    });
  });
});

describe("a refusal", () => {
  test("is the envelope, and nothing more", () => {
    const rendered = renderError(new NotFoundError("Product", "17"), envelope, "application/json");
    expect(rendered).toMatchObject({ status: 404, contentType: "application/json; charset=utf-8" });
    expect(JSON.parse(rendered.text)).toEqual({
      success: false,
      error: "Product not found.",
      code: "NOT_FOUND",
      statusCode: 404,
      timestamp: envelope.timestamp,
      meta,
    });
  });

  test("lists what was wrong with each field", () => {
    const details = [{ field: "a.b", message: "Too short.", code: "too_small" }];
    expect(bodyOf(new ValidationError(details))).toMatchObject({
      code: "VALIDATION_ERROR",
      details,
    });
  });

  test.each([null, PROBLEM])("lists at most 50 of them, Accept %s", (accept) => {
    const details = Array.from({ length: 80 }, (_, i) => ({
      field: `f${i}`,
      message: "m",
      code: "c",
    }));
    expect(bodyOf(new ValidationError(details), accept)["details"]).toEqual(details.slice(0, 50));
  });

  test("is a problem document for who asks (RFC 9457)", () => {
    const details = [{ field: "a", message: "m", code: "c" }];
    const rendered = renderError(new ValidationError(details), envelope, PROBLEM);
    expect(rendered).toMatchObject({ status: 400, contentType: PROBLEM });
    expect(JSON.parse(rendered.text)).toEqual({
      type: "urn:bulwark:error:validation-error",
      title: "Bad Request",
      status: 400,
      detail: "The input is not valid.",
      code: "VALIDATION_ERROR",
      details,
      requestId: envelope.requestId,
      timestamp: envelope.timestamp,
      version: "1",
    });
  });

  test("names the limits that refused, in both forms", () => {
    const error = new RateLimitError(3, ["login"]);
    expect(bodyOf(error)["violated-policies"]).toEqual(["login"]);
    expect(bodyOf(error, PROBLEM)["violated-policies"]).toEqual(["login"]);
    expect(bodyOf(new RateLimitError(3))).not.toHaveProperty("violated-policies");
  });

  test("keeps a code of one's own and its words", () => {
    const error = new BaseAPIError<string>("BROKE", 'Too "little".', { statusCode: 402 });
    expect(bodyOf(error)).toMatchObject({ error: 'Too "little".', code: "BROKE", statusCode: 402 });
    expect(bodyOf(error, PROBLEM)).toMatchObject({
      title: "Error",
      status: 402,
      detail: 'Too "little".',
    });
  });
});

// Messages of faults quote SQL, hosts and secrets.
describe("a fault keeps its words", () => {
  const secret = "SELECT hunter2";
  const cause = new Error(secret);
  const details = [{ field: secret, message: secret, code: secret }];
  const faults: readonly [status: number, error: BaseAPIError<string>, sentence: string][] = [
    [
      500,
      new BaseAPIError("INTERNAL_ERROR", secret, { cause }),
      "Something went wrong on our side.",
    ],
    [500, new DatabaseError(secret, { cause, details }), "Something went wrong on our side."],
    [500, asAPIError(new TypeError(secret)), "Something went wrong on our side."],
    [500, asAPIError(secret), "Something went wrong on our side."],
    [500, asAPIError(undefined), "Something went wrong on our side."],
    [502, new ExternalServiceError(secret, { cause }), "A service that this request needs failed."],
    [503, new UnavailableError(secret, { cause, details }), "The service is not available now."],
    [
      507,
      new BaseAPIError<string>("FULL", secret, { statusCode: 507 }),
      "Something went wrong on our side.",
    ],
  ];

  test.each(faults)("%i %s", (status, error, sentence) => {
    for (const accept of [null, PROBLEM]) {
      const { text, ...rendered } = renderError(error, envelope, accept);
      expect(rendered.status).toBe(status);
      expect(text).not.toContain("hunter2");
      expect(text).toContain(sentence);
    }
  });
});

describe("asAPIError", () => {
  test("keeps a coded refusal", () => {
    const error = new NotFoundError();
    expect(asAPIError(error)).toBe(error);
  });

  test.each([new Error("x"), "x", undefined, null, 7])(
    "hides %s, and keeps it for the log",
    (thrown) => {
      expect(asAPIError(thrown)).toMatchObject({ code: "INTERNAL_ERROR", statusCode: 500 });
      expect(asAPIError(thrown).cause).toBe(thrown);
    },
  );
});
