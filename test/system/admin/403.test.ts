import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, reset, signUp } = await testApp();
beforeAll(reset);

// Lesson of every role check by property lookup: `__proto__`, `constructor` and `toString` as roles.
test.each([
  [["user"]],
  [["user", "moderator"]],
  [[]],
  [["ADMIN"]],
  [["admin "]],
  [["__proto__", "constructor", "toString"]],
])("the roles %j do not open the audit log", async (roles) => {
  const { token } = await signUp(roles);
  const answer = await call("GET", "/api/admin/audit", { token });
  expect(answer.status).toBe(403);
  expect(answer.json).toMatchObject({ success: false, code: "FORBIDDEN" });
  expect(answer.json).not.toHaveProperty("data");
});

test("403 comes before the query is looked at", async () => {
  const { token } = await signUp();
  expect((await call("GET", "/api/admin/audit?nonsense=1", { token })).status).toBe(403);
});
