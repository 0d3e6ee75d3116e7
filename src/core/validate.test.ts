import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ErrorDetail } from "./errors.ts";
import { MAX_DETAILS, type Schema, validate } from "./validate.ts";

const detailsOf = async (schema: Schema, value: unknown): Promise<readonly ErrorDetail[]> => {
  try {
    await validate(schema, value);
  } catch (error) {
    expect(error).toMatchObject({ code: "VALIDATION_ERROR", statusCode: 400 });
    return (error as { details: readonly ErrorDetail[] }).details;
  }
  throw new Error("expected a refusal");
};

/** A Standard Schema by hand: an even number, given at once or later. */
const even = (later: boolean): Schema<number> => ({
  "~standard": {
    version: 1,
    vendor: "by-hand",
    validate(value) {
      const result =
        typeof value === "number" && value % 2 === 0
          ? { value: value / 2 }
          : { issues: [{ message: "Not even.", path: ["list", { key: 0 }, Symbol("s")] }] };
      return later ? Promise.resolve(result) : result;
    },
  },
});

describe("a schema by hand", () => {
  test("answers at once, or later", async () => {
    expect(validate(even(false), 4)).toBe(2);
    const later = validate(even(true), 4);
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(2);
  });

  test.each([true, false])("refuses, later: %s", async (later) => {
    expect(await detailsOf(even(later), 3)).toEqual([
      { field: "list.0.Symbol(s)", message: "Not even.", code: "invalid" },
    ]);
  });

  test("may leave the path away", async () => {
    const schema: Schema = {
      "~standard": { version: 1, vendor: "x", validate: () => ({ issues: [{ message: "No." }] }) },
    };
    expect(await detailsOf(schema, 1)).toEqual([{ field: "", message: "No.", code: "invalid" }]);
  });
});

describe("zod", () => {
  const schema = z.strictObject({
    name: z.string().min(2),
    tags: z.array(z.string()).optional(),
    size: z.coerce.number().optional(),
  });

  test("gives its output, not its input", () => {
    expect(validate(schema, { name: "ab", size: "7" })).toEqual({ name: "ab", size: 7 });
  });

  test.each<[what: string, value: unknown, details: readonly Partial<ErrorDetail>[]]>([
    ["nothing at all", undefined, [{ field: "", code: "invalid_type" }]],
    ["a missing field", {}, [{ field: "name", code: "invalid_type" }]],
    ["a short one", { name: "a" }, [{ field: "name", code: "too_small" }]],
    [
      "one deep inside",
      { name: "ab", tags: ["a", 1] },
      [{ field: "tags.1", code: "invalid_type" }],
    ],
    [
      "unknown fields, each by name",
      { name: "ab", role: "admin", __proto: 1 },
      [
        { field: "role", message: "Unknown field.", code: "unknown_field" },
        { field: "__proto", message: "Unknown field.", code: "unknown_field" },
      ],
    ],
    [
      "a __proto__ of JSON",
      JSON.parse('{"name":"ab","__proto__":{"role":"admin"}}'),
      [{ field: "__proto__", code: "unknown_field" }],
    ],
  ])("refuses %s", async (_what, value, details) => {
    const found = await detailsOf(schema, value);
    expect(found).toEqual(details.map((detail) => expect.objectContaining(detail)));
  });

  test("an input does not come back in the words", async () => {
    const found = await detailsOf(schema, { name: { password: "hunter2" } });
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });

  test("so many issues are listed, and no more", async () => {
    const found = await detailsOf(z.array(z.string()), Array(500).fill(1));
    expect(found).toHaveLength(MAX_DETAILS);
  });
});
