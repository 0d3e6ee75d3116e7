import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, dataOf, startApp, type TestApp } from "../../support/app.ts";
import { ownRedis, startRedis } from "../../support/services.ts";

// Applications that share a Redis, as processes do: whom one keeps out all list, and whom one lets in again all serve.

const available = (await startRedis()) !== undefined;
const withRedis = test.skipIf(!available);
const redis = available ? await ownRedis() : undefined;
const limits = { user: { requests: 20, window: "1h" } };
const apps: TestApp[] = [];

const start = async (): Promise<TestApp> => {
  // A database of their own for each: these accounts are no part of what is told here.
  const database = { insecureInMemory: true } as const;
  const app = await startApp({ redisUrl: redis?.url, processes: 2, limits, database });
  apps.push(app);
  return app;
};

/** Each application starts a database in this process, and one after the other: nothing else runs meanwhile, Redis' answers neither. */
const SLOW = 180_000;
const LONG = { timeout: SLOW };
beforeAll(async () => {
  if (redis === undefined) return;
  await start();
  await start();
}, SLOW);
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await redis?.stop();
});

const bansAt = async (app: TestApp): Promise<Answer> =>
  app.call("GET", "/api/admin/limits/bans", { token: await app.adminToken() });
const lift = async (app: TestApp, body: unknown): Promise<Answer> =>
  app.call("POST", "/api/admin/limits/lift", { token: await app.adminToken(), body });

withRedis("a ban is known and lifted everywhere, also by who starts later", LONG, async () => {
  const [one, other] = apps as [TestApp, TestApp];
  await one.bulwark.bans.ban("203.0.113.9", "1h", "by hand");
  const listed = [{ network: "203.0.113.9", step: 1, reason: "by hand" }];
  for (const app of [one, other]) expect((await bansAt(app)).json["data"]).toMatchObject(listed);
  await expect.poll(() => other.bulwark.bans.isBanned("203.0.113.9")).toBe(true);

  const late = await start();
  expect(late.bulwark.bans.isBanned("203.0.113.9")).toBe(true);

  expect(dataOf(await lift(other, { address: "203.0.113.9" }))).toMatchObject({ wasBanned: true });
  for (const app of [one, other, late]) {
    expect((await bansAt(app)).json["data"]).toEqual([]);
    await expect.poll(() => app.bulwark.bans.isBanned("203.0.113.9")).toBe(false);
  }
});

withRedis(
  "a key that one process remembers as refused passes there after another's lift",
  async () => {
    const [one, other] = apps as [TestApp, TestApp];
    const { id, token } = await one.signUp();
    const ask = async (): Promise<number> =>
      (await one.call("GET", "/api/auth/me", { token })).status;
    const burst = await Promise.all(Array.from({ length: 40 }, ask));
    expect(burst.filter((status) => status === 200)).toHaveLength(20);
    // From memory, without Redis, for five seconds of a clock that stands still.
    expect(await ask()).toBe(429);
    expect((await lift(other, { key: id })).status).toBe(200);
    await expect.poll(ask).toBe(200);
  },
);

withRedis("what cannot be lifted everywhere is not said to be", async () => {
  const [one] = apps as [TestApp];
  const token = await one.adminToken();
  await one.bulwark.bans.ban("203.0.113.10", "1h", "by hand");
  process.kill(redis?.pid ?? 0, "SIGSTOP");
  try {
    const body = { address: "203.0.113.10" };
    const refused = await one.call("POST", "/api/admin/limits/lift", { token, body });
    expect([refused.status, refused.json["code"]]).toEqual([503, "SERVICE_UNAVAILABLE"]);
    const listed = await one.call("GET", "/api/admin/limits/bans", { token });
    expect(listed.status).toBe(503);
    const overview = await one.call("GET", "/api/admin/limits", { token });
    expect(dataOf(overview)).toMatchObject({ store: { kind: "redis", isLost: true } });
  } finally {
    process.kill(redis?.pid ?? 0, "SIGCONT");
  }
});
