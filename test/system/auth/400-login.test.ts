import { beforeAll, expect, test } from "vitest";
import { PASSWORD, testApp } from "../../support/app.ts";

const { call, reset } = await testApp();
beforeAll(reset);

const good = { email: "a@example.com", password: PASSWORD };

test.each([
  ["no password", { email: good.email }],
  ["a list of addresses", { ...good, email: [good.email, good.email] }],
  ["an operator instead of a password", { ...good, password: { $gt: "" } }],
  ["an unknown field", { ...good, userId: "x" }],
  ["an unknown mode", { ...good, mode: "both" }],
  ["an address of 321 characters", { ...good, email: "a".repeat(321) }],
  ["a password of 1,025 characters", { ...good, password: "a".repeat(1_025) }],
])("login with %s is 400 before any hash", async (_name, body) => {
  const answer = await call("POST", "/api/auth/login", { body });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe("VALIDATION_ERROR");
});
