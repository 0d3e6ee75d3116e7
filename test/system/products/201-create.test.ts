import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { LAMP } from "./support.ts";

const { call, clock, reset, signUp } = await testApp();
beforeAll(reset);

test("create answers the product, with its id, its owner and its time", async () => {
  const { id, token } = await signUp();
  const answer = await call("POST", "/api/products", { token, body: LAMP });
  expect(answer.status).toBe(201);
  const at = new Date(clock.now()).toISOString();
  expect(answer.json["data"]).toEqual({
    ...LAMP,
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    ownerId: id,
    description: null,
    createdAt: at,
    updatedAt: at,
  });
});

test.each([
  ["price 0", { price: 0 }],
  ["the highest price", { price: 1_000_000_000_000 }],
  ["a price with cents", { price: 0.1 }],
  ["markup as text", { name: "<b>a < b</b> & 'c'" }],
  ["emoji", { name: "\u{1F600}" }],
  ["the longest name", { name: "n".repeat(200) }],
  ["the longest description", { description: "d".repeat(5_000) }],
  ["an empty description", { description: "" }],
])("%s comes back as it went", async (_name, fields) => {
  const { token } = await signUp();
  const answer = await call("POST", "/api/products", { token, body: { ...LAMP, ...fields } });
  expect(answer.status).toBe(201);
  expect(answer.json["data"]).toMatchObject(fields);
});

test.each([
  ["application/json; charset=utf-8"],
  ["application/json;charset=UTF-8"],
  ["Application/JSON"],
  ["application/vnd.api+json"],
])("content type %s is JSON", async (type) => {
  const { token } = await signUp();
  const headers = { "content-type": type };
  const answer = await call("POST", "/api/products", { token, body: LAMP, headers });
  expect(answer.status).toBe(201);
});
