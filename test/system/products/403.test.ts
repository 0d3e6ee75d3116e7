import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { makeProduct } from "./support.ts";

const app = await testApp();
const { call, query, reset, signUp } = app;
beforeAll(reset);

// GHSA-4vcf: user B acts on user A's id. GHSA-cq3f: the ownership check was skipped.
test.each([
  ["PATCH", ["user"]],
  ["PATCH", ["user", "moderator"]],
  ["PATCH", []],
  ["DELETE", ["user"]],
  ["DELETE", []],
  ["DELETE", ["Admin"]],
  ["DELETE", ["__proto__", "constructor"]],
] as const)(
  "%s of another's product with the roles %j is 403, and touches nothing",
  async (method, roles) => {
    const owner = await signUp();
    const made = await makeProduct(app, owner.token);
    const { token } = await signUp(roles);
    const body = method === "PATCH" ? { name: "Taken" } : undefined;
    const answer = await call(method, `/api/products/${made.id}`, { token, body });
    expect(answer.status).toBe(403);
    expect(answer.json["code"]).toBe("FORBIDDEN");
    const [row] = await query(
      sql`SELECT name, owner_id FROM reference.products WHERE id = ${made.id}`,
    );
    expect(row).toEqual({ name: made.name, owner_id: owner.id });
  },
);

test("DELETE by the owner, who has no role for it, is 403", async () => {
  const { token } = await signUp();
  const made = await makeProduct(app, token);
  expect((await call("DELETE", `/api/products/${made.id}`, { token })).status).toBe(403);
  expect((await call("GET", `/api/products/${made.id}`, { token })).status).toBe(200);
});

test("a 403 comes before the body is looked at", async () => {
  const { token } = await signUp();
  const answer = await call("DELETE", "/api/products/x", { token, body: "{" });
  expect(answer.status).toBe(403);
});
