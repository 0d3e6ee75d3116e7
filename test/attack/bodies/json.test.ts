import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { expectRefusal } from "../../system/edge/support.ts";
import { PACK } from "./support.ts";

const { call, clock, log, port, query, reset, signUp } = await testApp();
let token: string;

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
});
beforeEach(() => clock.advance(1_000));

const count = async (): Promise<number> =>
  (await query(sql`SELECT id FROM reference.products`)).length;
const nested = (open: string, close: string, depth: number): string =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;
const keys = (many: number): string =>
  `{${Array.from({ length: many }, (_, index) => `"${index}":0`).join()}}`;

const CASES: readonly (readonly [what: string, body: string, status: number, code: string])[] = [
  ["arrays 100,000 deep", nested("[", "]", 100_000), 400, "INVALID_REQUEST"],
  ["objects 100,000 deep", nested('{"a":', "}", 100_000), 400, "INVALID_REQUEST"],
  ["arrays that never end", "[".repeat(1_000_000), 400, "INVALID_REQUEST"],
  ["arrays 33 deep in a field", `{"name":${nested("[", "]", 32)}}`, 400, "INVALID_REQUEST"],
  ["50,000 keys", keys(50_000), 400, "INVALID_REQUEST"],
  ["a million keys", keys(1_000_000), 413, "PAYLOAD_TOO_LARGE"],
  ["400,000 elements", `[${"0,".repeat(400_000)}0]`, 400, "INVALID_REQUEST"],
  ["a name twice", '{"name":"a","name":"b","price":1,"category":"c"}', 400, "INVALID_REQUEST"],
  [
    "a name twice in two spellings",
    String.raw`{"name":"a","n\u0061me":"b","price":1,"category":"c"}`,
    400,
    "INVALID_REQUEST",
  ],
  [
    "a prototype",
    '{"name":"a","price":1,"category":"c","__proto__":{"ownerId":"x"}}',
    400,
    "VALIDATION_ERROR",
  ],
  [
    "a constructor's prototype",
    '{"name":"a","price":1,"category":"c","constructor":{"prototype":{"x":1}}}',
    400,
    "VALIDATION_ERROR",
  ],
  [
    "a price beyond every number",
    '{"name":"a","price":1e999,"category":"c"}',
    400,
    "VALIDATION_ERROR",
  ],
  [
    "half of a pair",
    String.raw`{"name":"a\ud800","price":1,"category":"c"}`,
    400,
    "VALIDATION_ERROR",
  ],
];

test.each(CASES)("%s is refused, and writes nothing", async (_what, body, status, code) => {
  const before = await count();
  expectRefusal(await call("POST", "/api/products", { token, body }), status, code);
  expect(await count()).toBe(before);
  expect(Object.hasOwn(Object.prototype, "ownerId")).toBe(false);
});

// Read by whoever stands before us as the first role, and by JSON.parse as the last.
test("two roles in one object give nobody either", async () => {
  const body = '{"role":"user","role":"admin"}';
  const answer = await call("POST", "/api/auth/register", { body });
  expectRefusal(answer, 400, "INVALID_REQUEST");
  expect(answer.json["error"]).toBe("An object in the body names a key twice.");
});

describe("a refusal never quotes the body", () => {
  test.each([
    '{"password":"hunter2secret","password":"x"}',
    '{"hunter2secret":1,"hunter2secret":2}',
    '{"password":"hunter2secret',
    `${nested('{"hunter2secret":', "}", 40)}`,
  ])("%s", async (body) => {
    log.length = 0;
    const answer = await call("POST", "/api/auth/login", { body });
    expectRefusal(answer, 400, "INVALID_REQUEST");
    expect(answer.text + log.join("")).not.toContain("hunter2secret");
  });
});

test("brackets that came packed are counted as well", async () => {
  const response = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: new Uint8Array(PACK.gzip("[".repeat(60_000))),
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("nested deeper than 32 levels");
});

test("text beyond ASCII, escaped or not, is one text", async () => {
  const body = String.raw`{"name":"L\u00e9a \ud83d\ude00","price":1,"category":"c"}`;
  const answer = await call("POST", "/api/products", { token, body });
  expect(answer.status).toBe(201);
  expect(answer.json["data"]).toMatchObject({ name: "L\u00e9a \u{1f600}" });
});
