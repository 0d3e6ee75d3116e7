import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { PASSWORD, testApp } from "../../support/app.ts";

const { call, reset, query } = await testApp();
// More registrations than an address has in a minute: each test begins with full limits.
beforeEach(reset);

const good = { email: "new@example.com", password: PASSWORD, name: "Someone" };

async function refused(body: unknown, code: string, field?: string): Promise<void> {
  const answer = await call("POST", "/api/auth/register", { body });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe(code);
  if (field !== undefined) expect(fieldsOf(answer.json["details"])).toContain(field);
  expect(await query(sql`SELECT id FROM bulwark.users`)).toEqual([]);
  expect(await query(sql`SELECT id FROM bulwark.audit_events`)).toEqual([]);
}

const fieldsOf = (details: unknown): string[] =>
  (details as { field: string }[]).map(({ field }) => field);

test.each([
  ["no body", "", ""],
  ["null", null, ""],
  ["a list", [good], ""],
  ["a text", '"text"', ""],
  ["no email", { ...good, email: undefined }, "email"],
  ["a number as email", { ...good, email: 7 }, "email"],
  ["an object as email", { ...good, email: { $ne: null } }, "email"],
  ["a list as password", { ...good, password: [PASSWORD] }, "password"],
  ["null as name", { ...good, name: null }, "name"],
  ["an empty name", { ...good, name: "  " }, "name"],
  ["a name of two lines", { ...good, name: "a\nb" }, "name"],
  ["a name with NUL", { ...good, name: "a\0b" }, "name"],
  ["a lone surrogate in the name", { ...good, name: "a\uD800b" }, "name"],
  ["a name that is too long", { ...good, name: "a".repeat(101) }, "name"],
  ["a short password", { ...good, password: "14 characters!" }, "password"],
  [
    "a password that is too long",
    { ...good, password: `${"ab cd"}${"x".repeat(252)}` },
    "password",
  ],
  ["a password of one letter", { ...good, password: "a".repeat(20) }, "password"],
  ["the address as password", { ...good, password: "new@example.com" }, "password"],
  ["an unknown field", { ...good, note: 1 }, "note"],
  // CVE-2025-61928 (better-auth): identity and rights taken from the body.
  ["roles in the body", { ...good, roles: ["admin"] }, "roles"],
  ["an id in the body", { ...good, id: "00000000-0000-7000-8000-000000000000" }, "id"],
  ["emailVerified in the body", { ...good, emailVerifiedAt: "2020-01-01" }, "emailVerifiedAt"],
  ["constructor as field", { ...good, constructor: {} }, "constructor"],
])("%s is refused, and writes nothing", (_name, body, field) =>
  refused(body, "VALIDATION_ERROR", field),
);

test("__proto__ as a field is refused or ignored, and pollutes nothing", async () => {
  const body = JSON.stringify({ ...good, x: 1 }).replace(
    '"x":1',
    '"__proto__":{"roles":["admin"]}',
  );
  const answer = await call("POST", "/api/auth/register", { body });
  expect(answer.status).toBe(400);
  expect(await query(sql`SELECT id FROM bulwark.users`)).toEqual([]);
  expect({}).not.toHaveProperty("roles");
});

// GHSA-5jpx, GHSA-7rqj: what validators and mailers read differently.
test.each([
  ["plain"],
  ["@example.com"],
  ["a@"],
  ["a@b"],
  ["a@@example.com"],
  ["a@b@example.com"],
  ['"a b"@example.com'],
  ["a,b@example.com"],
  ["a b@example.com"],
  ["a@example.com "],
  ["a@example.com\r\nbcc: x@example.com"],
  ["a\uFF20example.com"],
  ["a@\uFF45xample.com"],
  ["a@[127.0.0.1]"],
  ["a@127.0.0.1"],
  ["a(comment)@example.com"],
  ["<a@example.com>"],
  ["a..b@example.com"],
  [".a@example.com"],
  ["a@-example.com"],
  ["a@example..com"],
  ["a\0@example.com"],
  [`${"a".repeat(65)}@example.com`],
  [`a@${"b.".repeat(130)}com`],
])("%j is no address", (email) => refused({ ...good, email }, "VALIDATION_ERROR", "email"));

test.each([
  ["cut off", '{"email":'],
  ["single quotes", "{'email':'a'}"],
  ["a trailing comma", '{"email":"a",}'],
  ["two values", "{}{}"],
  ["NaN", '{"email":NaN}'],
  ["only spaces", "   "],
])("malformed JSON (%s) is INVALID_REQUEST", (_name, body) => refused(body, "INVALID_REQUEST"));

test("bytes that are not UTF-8 are INVALID_REQUEST", async () => {
  const { raw, port } = await testApp();
  const body = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]);
  const head = `POST /api/auth/register HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  const [answer] = await raw(Buffer.concat([Buffer.from(head), body]));
  expect(answer?.status).toBe(400);
  expect(answer?.body).toContain("INVALID_REQUEST");
});

test("at most 50 details are told, and none quotes the password", async () => {
  const unknown = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`field${i}`, 1]));
  const body = { ...unknown, email: 1, password: "canary-password", name: 1 };
  const answer = await call("POST", "/api/auth/register", { body });
  expect(answer.status).toBe(400);
  expect((answer.json["details"] as unknown[]).length).toBeLessThanOrEqual(50);
  expect(answer.text).not.toContain("canary-password");
});
