import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { UnavailableError } from "../../../src/core/index.ts";
import { testApp } from "../../support/app.ts";

const { bulwark, call, log, reset, signUp } = await testApp();
beforeAll(reset);
afterEach(() => vi.restoreAllMocks());

test("ready is 503 with Retry-After while the database does not answer, and live stays 200", async () => {
  vi.spyOn(bulwark.database, "ping").mockRejectedValue(new Error("connection refused: canary"));
  const answer = await call("GET", "/health/ready");
  expect(answer.status).toBe(503);
  expect(answer.json["code"]).toBe("SERVICE_UNAVAILABLE");
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(answer.text).not.toContain("canary");
  expect(log.join("")).toContain("canary");
  expect((await call("GET", "/health/live")).status).toBe(200);
});

test("a session that cannot be read is 503, never 200 and never 401", async () => {
  const { token } = await signUp();
  vi.spyOn(bulwark.sessions, "read").mockImplementation(() => {
    throw new UnavailableError("the store is gone");
  });
  const answer = await call("GET", "/api/auth/me", { token });
  expect(answer.status).toBe(503);
  expect(answer.json["code"]).toBe("SERVICE_UNAVAILABLE");
});
