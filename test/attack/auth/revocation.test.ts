import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createBulwark } from "../../../src/bulwark/index.ts";
import { createRouter } from "../../../src/core/index.ts";
import { createLog } from "../../../src/observability/index.ts";
import { referenceMigrations, referenceRoutes } from "../../../src/server/index.ts";
import { SECRET, startApp, type TestApp, testApp } from "../../support/app.ts";
import { freshDatabase, startRedis } from "../../support/services.ts";
import { ENDINGS, type Victim, victimOf } from "./endings.ts";

type Ask = (method: string, path: string, headers: Record<string, string>) => Promise<number>;

const byToken = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const me = (ask: Ask, headers: Record<string, string>): Promise<number> =>
  ask("GET", "/api/auth/me", headers);

/** What a process says of the two sessions that are to end. */
const opens = async (ask: Ask, { access, cookie }: Victim): Promise<readonly number[]> => [
  await me(ask, byToken(access)),
  await me(ask, { cookie }),
];

const asking =
  (on: TestApp): Ask =>
  async (method, path, headers) =>
    (await on.call(method, path, { headers })).status;

const refreshes = async (on: TestApp, { refresh }: Victim): Promise<number> =>
  (await on.call("POST", "/api/auth/refresh", { body: { refreshToken: refresh } })).status;

// GHSA-2vg6: who was deleted kept the sessions of a store that was not told.
describe("what has ended is refused at the next request", async () => {
  const app = await testApp();
  const place = { on: app, senders: [] };
  beforeEach(app.reset);

  test.each(ENDINGS)("after $name", async ({ victim: make = victimOf, end, keepsMine = false }) => {
    const victim = await make(place);
    const ask = asking(app);
    expect(await opens(ask, victim)).toEqual([200, 200]);
    expect((await end(place, victim)).status).toBeLessThan(300);
    expect(await opens(ask, victim)).toEqual([401, 401]);
    expect(await me(ask, byToken(victim.mine))).toBe(keepsMine ? 200 : 401);
    expect(await refreshes(app, victim)).toBe(401);
    const rows = await app.query(
      sql`SELECT count(*)::int AS n FROM bulwark.sessions WHERE user_id = ${victim.account.id}`,
    );
    expect(Number(rows[0]?.["n"])).toBeLessThanOrEqual(1);
  });
});

const url = await freshDatabase();

describe.skipIf(url === undefined)("on a second process too", async () => {
  if (url === undefined) return;
  const isRedis = process.env["BULWARK_TEST_STORE"] === "postgres";
  const one = await startApp({ database: { url } });
  // Another process of the same application: its issuer, its secret, its stores, its time.
  const other = createBulwark({
    mode: "development",
    issuer: one.bulwark.issuer,
    secret: SECRET,
    database: { url },
    redisUrl: isRedis ? await startRedis() : undefined,
    clock: one.clock,
    log: createLog({ destination: { write: () => {} } }),
    migrations: referenceMigrations,
  });
  const router = createRouter(other.handlers.BaseAPIHandler, referenceRoutes(other));
  const there: Ask = async (method, path, headers) => {
    const request = new Request(`${one.bulwark.issuer}${path}`, { method, headers });
    return (await router(request, { peer: "192.0.2.1" })).status;
  };
  const place = { on: one, senders: [other] };
  await other.ready();
  afterAll(async () => {
    await other.close();
    await one.close();
  });
  beforeEach(async () => {
    await one.reset();
    other.sessions.forget(() => true);
    other.mailbox?.clear();
  });

  test.each(ENDINGS)("after $name", async ({ victim: make = victimOf, end, keepsMine = false }) => {
    const victim = await make(place);
    // Both processes have seen all of them, so that whatever either keeps in memory is there.
    expect(await opens(there, victim)).toEqual([200, 200]);
    expect(await opens(asking(one), victim)).toEqual([200, 200]);
    expect(await me(there, byToken(victim.mine))).toBe(200);
    expect((await end(place, victim)).status).toBeLessThan(300);
    expect(await opens(there, victim)).toEqual([401, 401]);
    expect(await me(there, byToken(victim.mine))).toBe(keepsMine ? 200 : 401);
    expect(await opens(asking(one), victim)).toEqual([401, 401]);
  });
});
