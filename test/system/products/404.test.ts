import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { makeProduct } from "./support.ts";

const app = await testApp();
const { call, reset, adminToken } = app;
let token: string;
let id: string;

beforeAll(async () => {
  await reset();
  token = await adminToken();
  id = (await makeProduct(app, token)).id;
});

const IDS: readonly (readonly [name: string, make: () => string])[] = [
  ["an unknown UUID", () => "00000000-0000-7000-8000-000000000000"],
  ["a number", () => "1"],
  ["a word", () => "constructor"],
  ["__proto__", () => "__proto__"],
  ["a UUID in upper case", () => id.toUpperCase()],
  ["a UUID in braces", () => `%7B${id}%7D`],
  ["a UUID without dashes", () => id.replaceAll("-", "")],
  ["a UUID with a space behind", () => `${id}%20`],
  ["a UUID with a NUL behind", () => `${id}%00`],
  ["a UUID with a newline behind", () => `${id}%0A`],
  ["SQL", () => `${id}'%20OR%201=1--`],
  ["a UUID with an encoded slash behind", () => `${id}%2F`],
  ["5,000 characters", () => "a".repeat(5_000)],
];

test.each(
  IDS.flatMap(([name, make]) =>
    (["GET", "PATCH", "DELETE"] as const).map((method) => [method, name, make] as const),
  ),
)("%s of %s is 404", async (method, _name, make) => {
  const body = method === "PATCH" ? { name: "x" } : undefined;
  const answer = await call(method, `/api/products/${make()}`, { token, body });
  expect(answer.status).toBe(404);
  expect(answer.json["code"]).toBe("NOT_FOUND");
});

test("what was not named by its id is still there", async () => {
  expect((await call("GET", `/api/products/${id}`, { token })).status).toBe(200);
});
