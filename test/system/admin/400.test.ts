import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, reset, adminToken } = await testApp();
let token: string;
beforeAll(async () => {
  await reset();
  token = await adminToken();
});

test.each([
  ["page=0", "page"],
  ["limit=101", "limit"],
  ["userId=1", "userId"],
  ["userId=' OR 1=1 --", "userId"],
  ["from=yesterday", "from"],
  ["from=2027-01-01", "from"],
  ["to=2027-13-01T00:00:00Z", "to"],
  ["to=1798761600", "to"],
  [`type=${"a".repeat(129)}`, "type"],
  ["type=a&type=b", "type"],
  ["unknown=1", "unknown"],
])("?%s is 400 and names the parameter", async (query, field) => {
  const answer = await call("GET", `/api/admin/audit?${query}`, { token });
  expect(answer.status).toBe(400);
  expect(answer.json["code"]).toBe("VALIDATION_ERROR");
  expect(answer.json["details"]).toMatchObject([{ field }]);
});
