import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, dataOf, startApp, type TestApp, testApp } from "../../support/app.ts";
import { expectRefusal } from "../edge/support.ts";

// What an administrator sees of the limits, and how somebody who is kept out is let in again.

const app = await testApp();
const { adminToken, bulwark, call, query, reset, signUp } = app;
beforeEach(reset);

interface Overview {
  readonly limits: readonly { readonly name: string; readonly counts: string }[];
  readonly store: { readonly kind: string; readonly isLost: boolean };
  readonly counters: {
    readonly decided: number;
    readonly refused: readonly { readonly policy: string; readonly count: number }[];
  };
}

const ROUTES = [
  ["GET", "/api/admin/limits", undefined],
  ["GET", "/api/admin/limits/bans", undefined],
  ["POST", "/api/admin/limits/bans", { address: "203.0.113.8", duration: "1s", reason: "x" }],
  ["POST", "/api/admin/limits/lift", { address: "203.0.113.7" }],
] as const;

describe("who may", () => {
  test.each(ROUTES)("%s %s: administrators alone", async (method, path, body) => {
    expectRefusal(await call(method, path, { body }), 401, "UNAUTHORIZED");
    for (const roles of [["user"], ["user", "moderator"]]) {
      const { token } = await signUp(roles);
      expectRefusal(await call(method, path, { token, body }), 403, "FORBIDDEN");
    }
    const allowed = await call(method, path, { token: await adminToken(), body });
    expect(allowed.status).toBe(path.endsWith("bans") && method === "POST" ? 201 : 200);
  });

  test.each(ROUTES)("%s %s: with a second factor, where that is demanded", async (...route) => {
    const [method, path, body] = route;
    const strict = await startApp({ auth: { adminMfa: "required" } });
    try {
      const token = await strict.adminToken();
      expectRefusal(await strict.call(method, path, { token, body }), 403, "MFA_REQUIRED");
    } finally {
      await strict.close();
    }
  });

  test("a lift needs a factor of the last ten minutes", async () => {
    const token = await adminToken();
    app.clock.advance(601_000);
    const body = { address: "203.0.113.7" };
    const late = await call("POST", "/api/admin/limits/lift", { token, body });
    expectRefusal(late, 401, "REAUTHENTICATION_REQUIRED");
    expect((await call("GET", "/api/admin/limits", { token })).status).toBe(200);
  });
});

describe("the overview", () => {
  const overview = async (): Promise<Overview> =>
    dataOf<Overview>(await call("GET", "/api/admin/limits", { token: await adminToken() }));

  test("has every limit with its numbers, and whom it counts", async () => {
    const { limits } = await overview();
    expect(limits).toContainEqual({
      name: "login",
      requests: 100,
      windowMs: 60_000,
      algorithm: "token-bucket",
      burst: 100,
      onFailure: "deny",
      counts: "address",
      isHidden: false,
    });
    const counts = Object.fromEntries(limits.map(({ name, counts: whom }) => [name, whom]));
    expect(counts).toMatchObject({
      address: "address",
      "login-48": "network /48",
      "register-32": "network /32",
      anonymous: "address",
      user: "principal",
      key: "key",
      mail: "recipient",
      "POST /api/reports 60/1m": "principal",
      "POST /api/reports 600/1m": "own",
    });
  });

  test("counts what was decided and refused since the start", async () => {
    const before = await overview();
    const burst = Array.from({ length: 70 }, () =>
      call("POST", "/api/reports", { body: "{}", headers: { "content-type": "text/plain" } }),
    );
    const refused = (await Promise.all(burst)).filter(({ status }) => status === 429).length;
    expect(refused).toBeGreaterThan(0);
    const after = await overview();
    const policy = "POST /api/reports 60/1m";
    const of = ({ counters }: Overview): number =>
      counters.refused.find((each) => each.policy === policy)?.count ?? 0;
    expect(of(after) - of(before)).toBe(refused);
    expect(after.counters.decided - before.counters.decided).toBeGreaterThanOrEqual(70);
    expect(after.store).toEqual({
      kind: process.env["BULWARK_TEST_STORE"] === "postgres" ? "redis" : "memory",
      isLost: false,
    });
  });
});

describe("bans", () => {
  const list = async (search = ""): Promise<Answer> =>
    call("GET", `/api/admin/limits/bans${search}`, { token: await adminToken() });
  const lift = async (body: unknown): Promise<Answer> =>
    call("POST", "/api/admin/limits/lift", { token: await adminToken(), body });
  const isoIn = (ms: number): string => new Date(app.clock.now() + ms).toISOString();

  test("are listed, the longest first, a page at a time; what is over is not", async () => {
    await bulwark.bans.ban("203.0.113.1", "1h", "by hand");
    await bulwark.bans.ban("2001:db8:1:2::5", "2h", "scraper");
    await bulwark.bans.ban("203.0.113.3", "1m", "by hand");
    app.clock.advance(60_000);
    const answer = await list();
    expect(answer.json["data"]).toEqual([
      { network: "2001:db8:1:2::/64", until: isoIn(7_140_000), step: 1, reason: "scraper" },
      { network: "203.0.113.1", until: isoIn(3_540_000), step: 1, reason: "by hand" },
    ]);
    expect(answer.json["pagination"]).toMatchObject({ page: 1, limit: 20, total: 2 });
    const second = await list("?limit=1&page=2");
    expect(second.json["data"]).toMatchObject([{ network: "203.0.113.1" }]);
    expect(second.json["pagination"]).toMatchObject({ total: 2, totalPages: 2, hasNext: false });
    await Promise.all(["203.0.113.1", "2001:db8:1:2::"].map((each) => bulwark.bans.lift(each)));
    expect((await list()).json["data"]).toEqual([]);
  });

  const ban = async (body: unknown): Promise<Answer> =>
    call("POST", "/api/admin/limits/bans", { token: await adminToken(), body });

  test("one by hand stands for its time, and is recorded with who made it", async () => {
    const made = await ban({ address: "2001:db8:9::1", duration: "2h", reason: "scraper" });
    expect(made.status).toBe(201);
    expect((await list()).json["data"]).toEqual([
      { network: "2001:db8:9:0::/64", until: isoIn(7_200_000), step: 1, reason: "scraper" },
    ]);
    const [row] = await query(
      sql`SELECT user_id, resource, metadata FROM bulwark.audit_events WHERE type = 'limits.ban'`,
    );
    expect(row).toMatchObject({
      user_id: expect.any(String),
      resource: "2001:db8:9:0::/64",
      metadata: { reason: "scraper", durationMs: 7_200_000 },
    });
    await lift({ address: "2001:db8:9::" });
  });

  test.each([
    [{}, "address"],
    [{ address: "nowhere" }, "address"],
    [{ address: "203.0.113.0/24" }, "address"],
    [{ duration: "soon" }, "duration"],
    [{ reason: "" }, "reason"],
    [{ step: 9 }, "step"],
  ])("banning %j is 400", async (change, field) => {
    const good = { address: "203.0.113.1", duration: "1h", reason: "x" };
    const body = Object.keys(change).length === 0 ? {} : { ...good, ...change };
    const answer = await ban(body);
    expectRefusal(answer, 400, "VALIDATION_ERROR");
    expect((answer.json["details"] as { field: string }[]).map((each) => each.field)).toContain(
      field,
    );
  });

  test("a trusted proxy is not banned, nor anybody where bans are off", async () => {
    for (const config of [{ trustedProxies: ["203.0.113.0/24"] }, { bans: "off" } as const]) {
      const other = await startApp(config);
      try {
        const token = await other.adminToken();
        const body = { address: "203.0.113.1", duration: "1h", reason: "x" };
        const refused = await other.call("POST", "/api/admin/limits/bans", { token, body });
        expectRefusal(refused, 409, "CONFLICT");
        expect(other.bulwark.bans.isBanned("203.0.113.1")).toBe(false);
      } finally {
        await other.close();
      }
    }
  });

  test.each([
    ["203.0.113.1", "203.0.113.1", "203.0.113.1"],
    ["203.0.113.1", "::ffff:203.0.113.1", "203.0.113.1"],
    ["2001:db8:1:2::5", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::5", "2001:db8:1:2::/64", "2001:db8:1:2::/64"],
  ])("one of %s is lifted as %s, and recorded with who did it", async (banned, as, network) => {
    await bulwark.bans.ban(banned, "1h", "by hand");
    const answer = await lift({ address: as });
    expect(answer.json["data"]).toEqual({ key: `address:${network}`, wasBanned: true });
    expect(bulwark.bans.isBanned(banned)).toBe(false);
    expect((await list()).json["data"]).toEqual([]);
    const [row] = await query(
      sql`SELECT user_id, resource FROM bulwark.audit_events WHERE type = 'limits.ban.lift'`,
    );
    expect(row).toMatchObject({ user_id: expect.any(String), resource: network });
  });

  test.each([
    [{}, ""],
    [{ address: "203.0.113.1", key: "a" }, ""],
    [{ address: "nowhere" }, "address"],
    [{ address: "203.0.113.0/24" }, "address"],
    [{ address: "127.1" }, "address"],
    [{ key: "" }, "key"],
    [{ address: "203.0.113.1", more: 1 }, "more"],
  ])("lifting %j is 400", async (body, field) => {
    const answer = await lift(body);
    expectRefusal(answer, 400, "VALIDATION_ERROR");
    expect(answer.json["details"]).toMatchObject([{ field }]);
  });

  test.each(["page=0", "limit=101", "unknown=1"])("?%s is 400", async (search) => {
    expectRefusal(await list(`?${search}`), 400, "VALIDATION_ERROR");
  });
});

describe("limits of one key", () => {
  let tight: TestApp;
  beforeAll(async () => {
    tight = await startApp({ limits: { user: { requests: 20, window: "1h" } } });
  });
  afterAll(() => tight.close());

  test("are full again after a lift, which is recorded", async () => {
    const { id, token } = await tight.signUp();
    const other = await tight.signUp();
    const ask = async (bearer: string): Promise<number> =>
      (await tight.call("GET", "/api/auth/me", { token: bearer })).status;
    for (const bearer of [token, other.token]) {
      const burst = await Promise.all(Array.from({ length: 30 }, () => ask(bearer)));
      expect(burst.filter((status) => status === 200)).toHaveLength(20);
    }
    const admin = await tight.adminToken();
    const body = { key: id };
    const lifted = await tight.call("POST", "/api/admin/limits/lift", { token: admin, body });
    expect(dataOf(lifted)).toEqual({ key: id, wasBanned: false });
    expect(await ask(token)).toBe(200);
    expect(await ask(other.token)).toBe(429);
    const rows = await tight.query(
      sql`SELECT resource FROM bulwark.audit_events WHERE type = 'limits.lift'`,
    );
    expect(rows).toEqual([{ resource: `limit:${id}` }]);
  });
});
