import { describe, expect, test } from "vitest";
import { DatabaseError, UnavailableError, ValidationError } from "../core/index.ts";
import { isBadValue, isConflict, toDatabaseError } from "./database-errors.ts";

/** What drizzle throws: its own error, which quotes the parameters, around the server's. */
const failed = (code: string, message = "no"): Error =>
  new Error("Failed query: select $1 params: secret", {
    cause: Object.assign(new Error(message), { code }),
  });

describe("a store that cannot answer is unavailable, and every other failure an error", () => {
  test.each([
    ["08006", UnavailableError],
    ["28P01", UnavailableError],
    ["3D000", UnavailableError],
    ["25006", UnavailableError],
    ["25P03", UnavailableError],
    ["40001", UnavailableError],
    ["40P01", UnavailableError],
    ["53300", UnavailableError],
    ["55P03", UnavailableError],
    ["57014", UnavailableError],
    ["57P01", UnavailableError],
    ["ECONNREFUSED", UnavailableError],
    ["ENETDOWN", UnavailableError],
    ["22P02", DatabaseError],
    ["23505", DatabaseError],
    ["25P02", DatabaseError],
    ["42601", DatabaseError],
    ["42P01", DatabaseError],
    ["57P99", DatabaseError],
  ])("%s", (code, expected) => {
    const error = toDatabaseError(failed(code));
    expect(error).toBeInstanceOf(expected);
    expect(`${error.message} ${(error.cause as Error).message}`).not.toContain("secret");
  });

  test.each([
    "Client has encountered a connection error and is not queryable",
    "Connection terminated unexpectedly",
    "Query read timeout",
    "timeout exceeded when trying to connect",
  ])("the client says: %s", (message) => {
    expect(toDatabaseError(new Error(message))).toBeInstanceOf(UnavailableError);
  });
});

test("a refusal stays as it is", () => {
  const refusal = new ValidationError([]);
  expect(toDatabaseError(refusal)).toBe(refusal);
});

test.each([
  ["22021", true, false],
  ["22P02", true, false],
  ["22003", true, false],
  ["22012", false, false],
  ["23505", false, true],
  ["23503", false, true],
  ["23502", false, false],
  ["42601", false, false],
])("%s: a bad value %s, a conflict %s", (code, badValue, conflict) => {
  for (const error of [failed(code), toDatabaseError(failed(code))]) {
    expect([isBadValue(error), isConflict(error)]).toEqual([badValue, conflict]);
  }
});
