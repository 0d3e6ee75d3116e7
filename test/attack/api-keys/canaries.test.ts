import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Answer, dataOf, testApp } from "../../support/app.ts";
import { eventsOf, opener } from "../../system/api-keys/support.ts";

const app = await testApp();
const { bulwark, call } = app;

let key = "";
const answers: Answer[] = [];

// Keys go everywhere they should not, and are looked for everywhere.
beforeAll(async () => {
  await app.reset();
  const { token } = await app.signUp();
  const admin = await app.adminToken();
  const body = { name: "canary", scopes: ["products:read"] };
  const made = dataOf<{ id: string; key: string }>(
    await call("POST", "/api/api-keys", { token, body }),
  );
  key = made.key;
  const walk = async (...args: Parameters<typeof call>) => {
    answers.push(await call(...args));
  };
  const asKey = { headers: { "x-api-key": key } };
  await walk("GET", "/api/products", asKey);
  await walk("GET", "/api/auth/me", asKey);
  await walk("GET", `/api/products?search=${key}`, { token });
  await walk("GET", `/api/${key}`, asKey);
  await walk("GET", `/api/api-keys/${key}`, { token });
  await walk("DELETE", `/api/api-keys/${key}`, { token });
  await walk("DELETE", `/api/api-keys/${key}`, {});
  await walk("GET", `/api/products/${key}`, {});
  await walk("GET", "/api/auth/me", { token: key });
  await walk("GET", "/api/auth/me", { headers: { "user-agent": `mine/${key}` } });
  await walk("GET", "/api/auth/me", { headers: { "x-request-id": key } });
  await walk("POST", "/api/auth/login", { body: { email: key, password: key } });
  await walk("POST", "/api/api-keys/leaked", { body: [{ token: key }] });
  await walk("POST", "/api/api-keys", { token, body: { ...body, allowedAddresses: [key] } });
  await walk("PATCH", `/api/api-keys/${made.id}`, { token, body: { enabled: false } });
  await walk("GET", "/api/products", asKey);
  await walk("PATCH", `/api/api-keys/${made.id}`, { token, body: { enabled: true } });

  // What fails on our side is logged with its cause.
  const failure = Object.assign(new Error(`failed for ${key}`), { request: { headers: asKey } });
  const list = vi.spyOn(bulwark.apiKeys, "list").mockRejectedValue(failure);
  await walk("GET", "/api/api-keys", { token });
  list.mockRestore();
  bulwark.apiKeys.forget(() => true);
  const run = vi.spyOn(bulwark.database, "run").mockRejectedValueOnce(failure);
  await opener(bulwark)({ "x-api-key": key });
  run.mockRestore();
  bulwark.log.info({ key, note: `key ${key}`, deep: [{ text: key }] }, `used ${key}`);
  await walk("GET", "/api/admin/audit?limit=100", { token: admin });
});

const SECRET = () => key.slice(-38, -6);

test("the walk met successes, refusals and faults", async () => {
  const statuses = new Set(answers.map(({ status }) => status));
  for (const status of [200, 400, 401, 404, 500]) expect(statuses).toContain(status);
  expect(await eventsOf(app, "apikey.refused")).not.toEqual([]);
  expect(key).toMatch(/^bwk_live_/);
});

describe("the key is not", () => {
  test("in the log", () => {
    expect(app.log.join("")).toContain("used [redacted]");
    expect(app.log.join("")).not.toContain(SECRET());
  });

  test("in a table, the audit log included, not even in hexadecimal", async () => {
    const dump = await app.dump();
    expect(dump).toContain("canary");
    expect(dump).not.toContain(SECRET());
    expect(dump).not.toContain(Buffer.from(SECRET()).toString("hex"));
  });

  test("in an answer", () => {
    for (const { text, headers } of answers) {
      expect(text + JSON.stringify([...headers])).not.toContain(SECRET());
    }
  });
});
