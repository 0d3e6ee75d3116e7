import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { expectRefusal } from "./support.ts";

const { call, reset, adminToken } = await testApp();
beforeAll(reset);

test.each(["/", "/api", "/api/", "/api/nothing", "/.env", "/api/auth", "/setup/x", "/__proto__"])(
  "%s is 404, with and without a credential, whatever the method",
  async (path) => {
    const token = await adminToken();
    expectRefusal(await call("GET", path), 404, "NOT_FOUND");
    expectRefusal(await call("GET", path, { token }), 404, "NOT_FOUND");
    expectRefusal(await call("POST", path, { token, body: {} }), 404, "NOT_FOUND");
    expectRefusal(await call("DELETE", path, { token: "nonsense" }), 404, "NOT_FOUND");
  },
);

// GHSA-x732-6j76-qmhm: `//sign-in` missed the limiter. CVE-2026-29045, CVE-2026-47676: guard and router decoded a path differently.
test.each([
  "//api/products",
  "/api//products",
  "/api/products/",
  "/API/products",
  "/api/Products",
  "/api%2fproducts",
  "/api%2Fproducts",
  "/api/products%2f",
  "/api/products%00",
  "/api/products%20",
  "/api/products;x=1",
  "/api/products.json",
  "/api%5cproducts",
  "/api/%ff",
])("%s is 404 for everybody", async (path) => {
  const token = await adminToken();
  expectRefusal(await call("GET", path), 404, "NOT_FOUND");
  expectRefusal(await call("GET", path, { token }), 404, "NOT_FOUND");
});

test("letters that are percent-encoded name the same route, with the same policy", async () => {
  for (const path of ["/api/%70roducts", "/%61pi/products", "/api/admin/%61udit"]) {
    const { status } = await call("GET", path);
    expect([401, 404]).toContain(status);
  }
});
