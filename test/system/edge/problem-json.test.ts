import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, clock, reset, signUp } = await testApp();
beforeAll(reset);

const PROBLEM = "application/problem+json";

test("the same facts, as RFC 9457 names them", async () => {
  const headers = { accept: PROBLEM, "x-request-id": "request-1234" };
  const answer = await call("GET", "/api/products", { headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("content-type")).toBe(PROBLEM);
  expect(answer.json).toEqual({
    type: "urn:bulwark:error:unauthorized",
    title: "Unauthorized",
    status: 401,
    detail: "Authentication is required.",
    code: "UNAUTHORIZED",
    requestId: "request-1234",
    timestamp: new Date(clock.now()).toISOString(),
    version: "1",
  });
});

test("the details of a refused input are there", async () => {
  const { token } = await signUp();
  const answer = await call("GET", "/api/products?page=0", { token, headers: { accept: PROBLEM } });
  expect(answer.status).toBe(400);
  expect(answer.json["details"]).toMatchObject([{ field: "page" }]);
});

test.each([
  [`${PROBLEM}, application/json;q=0.5`, PROBLEM],
  [`application/json;q=0.5, ${PROBLEM};q=0.4`, "application/json; charset=utf-8"],
  ["application/json", "application/json; charset=utf-8"],
  ["*/*", "application/json; charset=utf-8"],
  [`${PROBLEM};q=0`, "application/json; charset=utf-8"],
  ["application/PROBLEM+json", PROBLEM],
])("Accept: %s is answered in %s", async (accept, type) => {
  const answer = await call("GET", "/nothing", { headers: { accept } });
  expect(answer.headers.get("content-type")).toBe(type);
});

test("a client that takes problems alone gets its data all the same", async () => {
  const { token } = await signUp();
  const answer = await call("GET", "/api/products", { token, headers: { accept: PROBLEM } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
});
