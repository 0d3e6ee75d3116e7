import { beforeEach, expect, test } from "vitest";
import { type Account, dataOf, testApp } from "../../support/app.ts";

const { call, reset, signUp } = await testApp();

let owner: Account;
beforeEach(async () => {
  await reset();
  owner = await signUp();
});

const LAMP = { name: "Lamp", price: 39.5, category: "home" };

async function keyWith(...scopes: string[]): Promise<Record<string, string>> {
  const made = await call("POST", "/api/api-keys", {
    token: owner.token,
    body: { name: "test", scopes },
  });
  expect(made.status).toBe(201);
  return { "x-api-key": dataOf<{ key: string }>(made).key };
}

test.each<[scopes: string[], list: number, create: number]>([
  [["products:read"], 200, 403],
  [["products:write"], 403, 201],
  [["products:read", "products:write"], 200, 201],
])("a key with %j lists: %i, creates: %i", async (scopes, list, create) => {
  const headers = await keyWith(...scopes);
  expect((await call("GET", "/api/products", { headers })).status).toBe(list);
  expect((await call("POST", "/api/products", { headers, body: LAMP })).status).toBe(create);
});

test("a key makes products of its owner's", async () => {
  const headers = await keyWith("products:write");
  const made = await call("POST", "/api/products", { headers, body: LAMP });
  expect(dataOf<{ ownerId: string }>(made).ownerId).toBe(owner.id);
});

test.each([
  ["GET", "/api/products/01a20cea-0000-7000-8000-000000000001"],
  ["PATCH", "/api/products/01a20cea-0000-7000-8000-000000000001"],
  ["DELETE", "/api/products/01a20cea-0000-7000-8000-000000000001"],
  ["GET", "/api/auth/me"],
  ["GET", "/api/auth/sessions"],
  ["DELETE", "/api/auth/me"],
  ["POST", "/api/auth/step-up"],
  ["GET", "/api/api-keys"],
  ["POST", "/api/api-keys"],
])("a key, whatever its scopes, does not open %s %s", async (method, path) => {
  const headers = await keyWith("products:read", "products:write");
  const body = method === "GET" || method === "DELETE" ? undefined : {};
  const { status, json } = await call(method, path, { headers, body });
  expect([status, json["code"]]).toEqual([403, "FORBIDDEN"]);
});
