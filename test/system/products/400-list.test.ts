import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, reset, signUp } = await testApp();
let token: string;
beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
});

test.each([
  ["page=0", "page"],
  ["page=-1", "page"],
  ["page=1.5", "page"],
  ["page=1e3", "page"],
  ["page=", "page"],
  ["page=abc", "page"],
  ["page=1000001", "page"],
  ["page=99999999999999999999", "page"],
  ["page=%20%201", "page"],
  ["page=0x10", "page"],
  ["page=1&page=2", "page"],
  ["limit=0", "limit"],
  ["limit=101", "limit"],
  ["limit=-5", "limit"],
  ["limit[]=5", "limit[]"],
  ["sort=id", "sort"],
  ["sort=ownerId", "sort"],
  ["sort=--price", "sort"],
  ["sort=price;drop", "sort"],
  ["sort=constructor", "sort"],
  ["sort=__proto__", "sort"],
  ["sort=", "sort"],
  ["search=a%00b", "search"],
  ["search=a%0Db", "search"],
  [`search=${"a".repeat(201)}`, "search"],
  ["search=a&search=b", "search"],
  ["category=", "category"],
  ["category=a&category=b", "category"],
  ["unknown=1", "unknown"],
  ["Page=1", "Page"],
  ["ownerId=1", "ownerId"],
  ["constructor=1", "constructor"],
  ["toString=1", "toString"],
])("?%s is 400 and names the parameter", async (query, field) => {
  const answer = await call("GET", `/api/products?${query}`, { token });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe("VALIDATION_ERROR");
  const details = answer.json["details"] as { field: string }[];
  expect(details.map((detail) => detail.field)).toContain(field);
});

test("?__proto__ is refused or ignored, and pollutes nothing", async () => {
  const answer = await call("GET", "/api/products?__proto__=polluted&__proto__[x]=1", { token });
  expect(answer.status).toBe(400);
  expect({}).not.toHaveProperty("x");
});
