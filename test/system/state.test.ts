import { afterAll, describe, expect, test } from "vitest";
import { type Bulwark, createBulwark } from "../../src/bulwark/index.ts";
import { createRouter } from "../../src/core/index.ts";
import { referenceMigrations, referenceRoutes } from "../../src/server/index.ts";
import { SECRET, testDatabase } from "../support/app.ts";
import { ownRedis } from "../support/services.ts";

const HOST = "localhost:3000";
const redis = await ownRedis();
const open: Bulwark[] = [];

async function application(redisUrl: string): Promise<Bulwark> {
  const bulwark = createBulwark({
    mode: "development",
    issuer: `http://${HOST}`,
    secret: SECRET,
    database: await testDatabase(),
    redisUrl,
    migrations: referenceMigrations,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  open.push(bulwark);
  return bulwark;
}

afterAll(async () => {
  for (const bulwark of open) await bulwark.close();
  await redis?.stop();
});

describe.skipIf(redis === undefined)("state in Redis", () => {
  test("is what the application uses, and its loss is 503 until it is back", async () => {
    const bulwark = await application(redis?.url ?? "");
    await bulwark.ready();
    expect(await bulwark.state.set("one", "1", "1m", "absent")).toBe(true);
    expect(await bulwark.state.take("one")).toBe("1");
    const router = createRouter(bulwark.handlers.BaseAPIHandler, referenceRoutes(bulwark));
    const health = async (): Promise<Response> =>
      router(new Request(`http://${HOST}/health/ready`), {});
    expect((await health()).status).toBe(200);
    process.kill(redis?.pid ?? 0, "SIGSTOP");
    const refused = await health();
    process.kill(redis?.pid ?? 0, "SIGCONT");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    const deadline = performance.now() + 10_000;
    let status = 0;
    while (status !== 200 && performance.now() < deadline) status = (await health()).status;
    expect(status).toBe(200);
  });
});

test("a state that cannot be named does not start", async () => {
  await expect(async () => (await application("http://localhost")).ready()).rejects.toThrow(
    /REDIS_URL|redis/i,
  );
});
