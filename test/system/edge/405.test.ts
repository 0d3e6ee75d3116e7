import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { expectRefusal } from "./support.ts";

const { call, reset, adminToken } = await testApp();
beforeAll(reset);

test.each([
  ["PUT", "/api/products", "GET, HEAD, POST"],
  ["DELETE", "/api/products", "GET, HEAD, POST"],
  ["POST", "/api/products/1", "GET, HEAD, PATCH, DELETE"],
  ["OPTIONS", "/api/products", "GET, HEAD, POST"],
  ["GET", "/api/auth/login", "POST"],
  ["HEAD", "/api/auth/login", "POST"],
  ["PUT", "/api/auth/register", "POST"],
  ["GET", "/api/auth/logout", "POST"],
  ["POST", "/api/auth/me", "DELETE, GET, HEAD"],
  ["POST", "/api/admin/audit", "GET, HEAD"],
  ["DELETE", "/api/admin/audit", "GET, HEAD"],
  ["DELETE", "/health/live", "GET, HEAD"],
])("%s %s is 405 and says what is allowed", async (method, path, allow) => {
  for (const token of [undefined, await adminToken()]) {
    const answer = await call(method, path, { token });
    expect(answer.headers.get("allow")).toBe(allow);
    if (method === "HEAD") expect(answer.status).toBe(405);
    else expectRefusal(answer, 405, "METHOD_NOT_ALLOWED");
  }
});
