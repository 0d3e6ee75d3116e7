import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { LAMP, makeProduct, type Product } from "./support.ts";

const app = await testApp();
const { call, query, reset, signUp } = app;
let token: string;
let made: Product;

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
  made = await makeProduct(app, token);
});

/** Everything that a refused write could have changed. */
const state = async () => ({
  products: await query(sql`SELECT * FROM reference.products`),
  events: await query(sql`SELECT seq FROM bulwark.audit_events`),
});

async function refused(method: string, path: string, body: unknown, code: string): Promise<void> {
  const before = await state();
  const answer = await call(method, path, { token, body });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe(code);
  expect(await state()).toEqual(before);
}

const BAD: readonly (readonly [name: string, fields: Record<string, unknown>])[] = [
  ["a negative price", { price: -0.01 }],
  ["a price as text", { price: "9.99" }],
  ["a price above the highest", { price: 1e13 }],
  ["null as price", { price: null }],
  ["an empty name", { name: "" }],
  ["a name of 201 characters", { name: "n".repeat(201) }],
  ["a name with NUL", { name: "a\0b" }],
  ["a name with an escape sequence", { name: "a\u001b[31mb" }],
  ["a name with a lone surrogate", { name: "\uD800" }],
  ["a number as name", { name: 1 }],
  ["a list as category", { category: ["home"] }],
  ["an object as description", { description: {} }],
  ["a description of 5,001 characters", { description: "d".repeat(5_001) }],
  ["an unknown field", { colour: "red" }],
  // CVE-2025-61928, GHSA-4vcf: the owner taken from the body.
  ["an owner", { ownerId: "00000000-0000-7000-8000-000000000000" }],
  ["an id", { id: "00000000-0000-7000-8000-000000000000" }],
  ["a time", { createdAt: "2020-01-01T00:00:00Z" }],
  ["constructor", { constructor: { prototype: {} } }],
  ["toString", { toString: "x" }],
];

test.each(BAD)("POST with %s writes nothing", (_name, fields) =>
  refused("POST", "/api/products", { ...LAMP, ...fields }, "VALIDATION_ERROR"),
);

test.each(BAD)("PATCH with %s writes nothing", (_name, fields) =>
  refused("PATCH", `/api/products/${made.id}`, fields, "VALIDATION_ERROR"),
);

test.each(["POST", "PATCH"])("%s with __proto__ writes and pollutes nothing", async (method) => {
  const path = method === "POST" ? "/api/products" : `/api/products/${made.id}`;
  const body = `{"name":"n","price":1,"category":"c","__proto__":{"polluted":true}}`;
  await refused(method, path, body, "VALIDATION_ERROR");
  expect({}).not.toHaveProperty("polluted");
});

test.each([
  ["Infinity", '{"name":"n","category":"c","price":1e999}', "VALIDATION_ERROR"],
  ["a body that is cut off", '{"name":"n"', "INVALID_REQUEST"],
  ["a list", "[]", "VALIDATION_ERROR"],
  ["null", "null", "VALIDATION_ERROR"],
  ["nothing", "", "VALIDATION_ERROR"],
  ["10,000 brackets", "[".repeat(10_000), "INVALID_REQUEST"],
])("POST with %s writes nothing", (_name, body, code) =>
  refused("POST", "/api/products", body, code),
);

test("PATCH with no field writes nothing", () =>
  refused("PATCH", `/api/products/${made.id}`, {}, "VALIDATION_ERROR"));

// A filter before us may have read the first of them, and JSON.parse reads the last.
test.each([
  '{"name":"first","name":"second","price":1,"category":"c"}',
  String.raw`{"name":"first","n\u0061me":"second","price":1,"category":"c"}`,
])("POST with a name that is given twice writes nothing: %s", (body) =>
  refused("POST", "/api/products", body, "INVALID_REQUEST"),
);
