import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";

const { call, raw, reset, query } = await testApp();
beforeAll(reset);

test("live says that the process answers, ready what it needs", async () => {
  const live = await call("GET", "/health/live");
  expect(live.status).toBe(200);
  expect(live.json["data"]).toEqual({ status: "ok" });
  const ready = await call("GET", "/health/ready");
  expect(ready.status).toBe(200);
  expect(ready.json["data"]).toEqual({ status: "ok", checks: { database: "ok", state: "ok" } });
});

test.each(["example.com", "10.1.2.3:8080", "[::1]"])(
  "a probe with the Host %j is answered",
  async (host) => {
    const [answer] = await raw(
      `GET /health/ready HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    expect(answer?.status).toBe(200);
  },
);

test("probes are outside all limits", async () => {
  // More than a stranger's 600 a minute; the connections of one address are 512 at once.
  for (let round = 0; round < 7; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => call("GET", "/health/live")),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.headers.has("x-ratelimit-limit")).toBe(false);
  }
  const after = await call("POST", "/api/auth/login", { body: { email: "a", password: "b" } });
  expect(after.headers.get("x-ratelimit-remaining")).not.toBe("0");
});

test("a probe leaves no row", async () => {
  await reset();
  await call("GET", "/health/ready");
  expect(await query(sql`SELECT seq FROM bulwark.audit_events`)).toEqual([]);
});
