import { afterAll, expect, test } from "vitest";
import { startApp, type TestApp } from "../../support/app.ts";
import { turn } from "./support.ts";

const THRESHOLD_MS = 250;
const app: TestApp = await startApp({ loadShedding: `${THRESHOLD_MS}ms` });
afterAll(() => app.close());
const { call, log } = app;

/** Keeps the event loop from everything else, as a flood of heavy requests would. */
async function block(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
  await turn();
}

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${app.port}/metrics`)).text();
  return Number(new RegExp(`^${name} ([\\d.e+-]+)$`, "m").exec(text)?.[1] ?? Number.NaN);
};

const lines = (message: string): string[] => log.filter((line) => line.includes(message));

test("an event loop that is late refuses requests, but for probes, until it is in time again", async () => {
  expect((await call("GET", "/api/products")).status).toBe(401);
  expect(await metric("bulwark_load_shedding")).toBe(0);

  let refused = await call("GET", "/api/products");
  for (let round = 0; round < 20 && refused.status !== 503; round += 1) {
    for (let turns = 0; turns < 4; turns += 1) await block(3 * THRESHOLD_MS);
    refused = await call("GET", "/api/products");
  }
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(refused.json).toMatchObject({ success: false, code: "SERVICE_UNAVAILABLE" });
  // Before any work: no limit was asked, and nothing was recorded.
  expect(refused.headers.has("x-ratelimit-limit")).toBe(false);
  const login = { body: { email: "a@example.com", password: "x" } };
  expect((await call("POST", "/api/auth/login", login)).status).toBe(503);
  expect((await call("GET", "/health/live")).status).toBe(200);
  expect(await metric("bulwark_load_shedding")).toBe(1);
  expect(await metric("bulwark_load_delay_seconds")).toBeGreaterThan(THRESHOLD_MS / 2_000);
  expect(await metric('bulwark_edge_refusals_total\\{reason="overload"\\}')).toBeGreaterThan(1);
  expect(lines("requests are refused: the event loop is late")).toHaveLength(1);
  // One line for the change, none for each refusal.
  expect(log.filter((line) => line.includes("request failed"))).toEqual([]);

  let status = 503;
  const deadline = performance.now() + 20_000;
  while (status === 503 && performance.now() < deadline) {
    await turn(100);
    ({ status } = await call("GET", "/api/products"));
  }
  expect(status).toBe(401);
  expect(lines("requests are served again: the event loop is in time")).toHaveLength(1);
});
