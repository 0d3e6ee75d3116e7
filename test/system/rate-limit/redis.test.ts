import { afterAll, expect, test } from "vitest";
import type { RedisRateLimiter } from "../../../src/rate-limit/redis/index.ts";
import { type Answer, PASSWORD, startApp, type TestApp } from "../../support/app.ts";
import { ownRedis, startRedis } from "../../support/services.ts";

// Two applications that share a Redis, as two processes do, and what they answer while it is gone.

const available = (await startRedis()) !== undefined;
const redis = available ? await ownRedis() : undefined;
const apps: TestApp[] = [];
if (redis !== undefined) {
  const limits = {
    login: { requests: 20, window: "1d" },
    anonymous: { requests: 40, window: "1d" },
  };
  for (let index = 0; index < 2; index += 1) {
    apps.push(await startApp({ redisUrl: redis.url, processes: 2, limits, bans: "off" }));
  }
}
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await redis?.stop();
});

const login = (app: TestApp): Promise<Answer> => app.call("POST", "/api/auth/login", { body: {} });
const stranger = (app: TestApp): Promise<Answer> => app.call("GET", "/nothing");

async function statusesOf(
  count: number,
  ask: (app: TestApp) => Promise<Answer>,
): Promise<Record<number, number>> {
  const asked = Array.from({ length: count }, (_, i) => ask(apps[i % 2] as TestApp));
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(asked)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const storeLost = (app: TestApp): string | undefined =>
  /^bulwark_rate_limit_store_lost (\d)/m.exec(app.bulwark.observability.metrics.text())?.[1];

async function eventsOf(app: TestApp): Promise<string> {
  const token = await app.adminToken();
  return (await app.call("GET", "/api/admin/audit?limit=100", { token })).text;
}

const oneLimit = test.skipIf(!available);

oneLimit("two processes have one limit, and each its way while Redis is gone", async () => {
  const [app] = apps as [TestApp, TestApp];
  expect(await statusesOf(60, login)).toEqual({ 400: 20, 429: 40 });

  const { email } = await app.signUp();
  process.kill(redis?.pid ?? 0, "SIGSTOP");
  try {
    // Strangers have 20 of their 40 left in Redis; while it is gone, each process has 20 of its own.
    expect(await statusesOf(100, stranger)).toEqual({ 404: 40, 429: 60 });
    // What guards passwords refuses.
    const body = { email: "a@example.com", password: PASSWORD, name: "A" };
    const refused = await app.call("POST", "/api/auth/register", { body });
    expect(refused.status).toBe(503);
    expect(refused.json["code"]).toBe("SERVICE_UNAVAILABLE");
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    // Nobody counts whom mail was sent to: none is sent.
    await app.bulwark.recovery.forgot(email, {});
    await expect.poll(() => app.log.join("")).toContain("work in the background failed");
    expect(app.bulwark.mailbox?.list()).toEqual([]);
    expect(storeLost(app)).toBe("1");
    // Said once, however many were decided without it.
    const said = app.log.filter((line) => line.includes("the limits are decided without Redis"));
    expect(said.map((line) => JSON.parse(line).level)).toEqual(["error"]);
  } finally {
    process.kill(redis?.pid ?? 0, "SIGCONT");
  }

  // Without a restart, by the requests that come.
  const isBack = async (): Promise<boolean> => {
    app.clock.advance(1_000);
    await stranger(app);
    return !(app.bulwark.limiter as RedisRateLimiter).isOpen;
  };
  await expect.poll(isBack, { timeout: 20_000 }).toBe(true);
  expect(storeLost(app)).toBe("0");
  expect((await login(app)).status).toBe(429);
  expect(app.log.join("")).toContain("the limits are decided without Redis");
  expect(app.log.join("")).toContain("the limits are decided in Redis again");
  await expect.poll(() => eventsOf(app), { timeout: 10_000 }).toContain("limits.store.lost");
  await expect.poll(() => eventsOf(app), { timeout: 10_000 }).toContain("limits.store.back");
});
