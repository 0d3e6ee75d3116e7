import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RateLimitError, UnauthorizedError } from "../../../src/core/index.ts";
import { startApp, testApp } from "../../support/app.ts";
import {
  eventsOf,
  makeKey,
  makeTenant,
  opener,
  READ,
  statusOf,
  WRITE,
} from "../../system/api-keys/support.ts";

const app = await testApp();
const { bulwark, clock } = app;
const { apiKeys } = bulwark;
beforeEach(app.reset);
afterEach(() => vi.restoreAllMocks());

const validate = (key: string, address?: string) =>
  apiKeys.validateAPIKey(key, { address }).then(
    () => "valid",
    (error: unknown) => (error instanceof UnauthorizedError ? "unauthorized" : error),
  );

/** How often the store was asked while `work` ran. */
async function storeCalls(work: () => Promise<unknown>): Promise<number> {
  const run = vi.spyOn(bulwark.database, "run");
  const transaction = vi.spyOn(bulwark.database, "transaction");
  run.mockClear();
  transaction.mockClear();
  await work();
  return run.mock.calls.length + transaction.mock.calls.length;
}

describe("what is no key of ours costs no read", () => {
  test("cut, mistyped, guessed, of another environment, of another application", async () => {
    const { key } = await makeKey(app, await app.signUp());
    const texts = [
      "",
      key.slice(0, -1),
      `${key}0`,
      key.replace("bwk", "abc"),
      key.replace("live", "test"),
      `${key.slice(0, -6)}000000`,
      key.toUpperCase(),
      `${key}, ${key}`,
      "x".repeat(1_000_000),
    ];
    expect(
      await storeCalls(async () => {
        for (const text of texts) expect(await validate(text)).toBe("unauthorized");
      }),
    ).toBe(0);
  });

  test("a key of the right form is read once, with its owner, in one statement", async () => {
    const { key } = await makeKey(app, await app.signUp());
    apiKeys.forget(() => true);
    const keys = Array.from({ length: 1_000 }, () => key);
    expect(await storeCalls(() => Promise.all(keys.map((each) => validate(each))))).toBe(1);
    const again = await storeCalls(() => validate(key));
    expect(again).toBe(bulwark.database.exclusive ? 0 : 1);
  });
});

describe("a key is refused at the next request", () => {
  const rows: readonly (readonly [
    what: string,
    end: (userId: string, keyId: string) => Promise<unknown>,
  ])[] = [
    ["when it is over", async () => clock.advance(3_600_000)],
    ["when it is disabled", (userId, id) => apiKeys.update(id, { userId }, { enabled: false }, {})],
    ["when it is revoked", (userId, id) => apiKeys.revoke(id, { userId }, {})],
    ["when it is rotated", (userId, id) => apiKeys.rotate(id, { userId }, undefined, {}, {})],
    ["when its owner is disabled", (userId) => bulwark.accounts.disable(userId, {})],
    [
      "when its owner asks to be deleted",
      async (userId) => {
        await app.query(sql`UPDATE bulwark.users SET delete_at = now() WHERE id = ${userId}`);
        bulwark.sessions.forget(() => true);
      },
    ],
    [
      "when its owner is deleted",
      async (userId) => {
        const past = new Date(0).toISOString();
        await app.query(
          sql`UPDATE bulwark.users SET delete_at = ${past}::timestamptz WHERE id = ${userId}`,
        );
        await bulwark.accounts.purge();
      },
    ],
  ];
  test.each(rows)("%s", async (_what, end) => {
    const account = await app.signUp();
    const { id, key } = await makeKey(app, account, { expiresIn: "1h" });
    expect(await statusOf(bulwark, key)).toBe(200);
    await end(account.id, id);
    expect(await statusOf(bulwark, key)).toBe(401);
    expect(await validate(key)).toBe("unauthorized");
  });

  test("and opens again with its owner, where that is taken back", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account);
    await bulwark.accounts.disable(account.id, {});
    expect(await statusOf(bulwark, key)).toBe(401);
    await bulwark.accounts.enable(account.id, {});
    expect(await statusOf(bulwark, key)).toBe(200);
  });

  test("but lives on when the password or a factor of its owner changes", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account);
    const { status } = await app.call("POST", "/api/auth/password/change", {
      token: account.token,
      body: { currentPassword: account.password, newPassword: "another rather long one" },
    });
    expect(status).toBe(200);
    expect(await statusOf(bulwark, key)).toBe(200);
  });
});

describe("a key does no more than its owner may now", () => {
  test("a role that is taken takes its scopes at the next request, and one that is given returns them", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account, { scopes: [READ, WRITE] });
    const scopes = async (): Promise<readonly string[]> =>
      (await opener(bulwark)({ "x-api-key": key })).seen.scopes;
    expect(await scopes()).toEqual([READ, WRITE]);
    await bulwark.accounts.setRoles(account.id, [], {});
    expect(await scopes()).toEqual([]);
    await bulwark.accounts.setRoles(account.id, ["user"], {});
    expect(await scopes()).toEqual([READ, WRITE]);
  });

  test("a key in a tenant ends with its owner's membership", async () => {
    const account = await app.signUp();
    const tenantId = await makeTenant(app, account);
    const made = await apiKeys.create(
      { name: "k", scopes: [READ] },
      { userId: account.id, tenantId },
      undefined,
      {},
    );
    expect((await opener(bulwark)({ "x-api-key": made.key })).seen).toMatchObject({ tenantId });
    await app.query(sql`DELETE FROM bulwark.memberships WHERE user_id = ${account.id}`);
    apiKeys.forget((key) => key.tenantId === tenantId);
    expect(await statusOf(bulwark, made.key)).toBe(401);
  });

  test("a tenant's own key ends with the tenant, and a member's with a membership that is taken", async () => {
    const member = await app.signUp();
    const tenantId = await makeTenant(app);
    const joined = await makeTenant(app, member);
    const input = { name: "k", scopes: [READ] };
    const own = await apiKeys.create(input, { tenantId }, undefined, {});
    const members = await apiKeys.create(
      input,
      { userId: member.id, tenantId: joined },
      undefined,
      {},
    );
    for (const { key } of [own, members]) expect(await statusOf(bulwark, key)).toBe(200);
    await bulwark.tenants.delete(tenantId, "system");
    await bulwark.tenants.removeMember(joined, member.id, "system");
    for (const { key } of [own, members]) expect(await statusOf(bulwark, key)).toBe(401);
  });

  test("no key is made in a tenant that its owner does not belong to", async () => {
    const tenantId = await makeTenant(app);
    const { id: userId } = await app.signUp();
    const input = { name: "k", scopes: [READ] };
    await expect(apiKeys.create(input, { userId, tenantId }, undefined, {})).rejects.toThrow(
      "User not found.",
    );
  });

  test("a tenant's own key acts for the tenant, and for no user", async () => {
    const tenantId = await makeTenant(app);
    const made = await apiKeys.create({ name: "k", scopes: [READ] }, { tenantId }, undefined, {});
    const { status, seen } = await opener(bulwark)({ "x-api-key": made.key });
    const userId = null;
    expect([status, seen]).toEqual([
      200,
      { kind: "tenantKey", keyId: made.id, userId, tenantId, scopes: [READ] },
    ]);
    const list = bulwark.handlers.APIKeyHandler.GET(() => 1, { path: "/x", requireAuth: true });
    const asked = new Request(`${bulwark.issuer}/x`, { headers: { "x-api-key": made.key } });
    expect((await list(asked, { peer: "192.0.2.1" })).status).toBe(401);
  });
});

describe("where it is shown", () => {
  test("an address outside of its list is refused, and an unknown one too", async () => {
    const { key } = await makeKey(app, await app.signUp(), {
      allowedAddresses: ["192.0.2.0/24", "2001:db8::/48"],
    });
    const open = opener(bulwark);
    const statuses = await Promise.all(
      ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::9", "192.0.3.9", "2001:db8:1::9", "nowhere"].map(
        async (peer) => (await open({ "x-api-key": key }, peer)).status,
      ),
    );
    expect(statuses).toEqual([200, 200, 200, 401, 401, 401]);
    expect(await validate(key)).toBe("unauthorized");
    expect(await validate(key, "192.0.2.1")).toBe("valid");
  });

  test("a forwarding header of a stranger changes nothing", async () => {
    const { key } = await makeKey(app, await app.signUp(), { allowedAddresses: ["192.0.2.0/24"] });
    const headers = {
      "x-api-key": key,
      "x-forwarded-for": "192.0.2.1",
      forwarded: "for=192.0.2.1",
    };
    expect((await opener(bulwark)(headers, "198.51.100.1")).status).toBe(401);
  });

  test.each([
    [
      "as a bearer token, where that is not configured",
      (key: string) => ({ authorization: `Bearer ${key}` }),
    ],
    ["as Basic", (key: string) => ({ authorization: `Basic ${key}` })],
    ["in a cookie", (key: string) => ({ cookie: `__Host-session=${key}` })],
    ["in another header", (key: string) => ({ "x-apikey": key })],
  ])("%s it opens nothing", async (_what, headers) => {
    const { key } = await makeKey(app, await app.signUp());
    expect((await opener(bulwark)(headers(key))).status).toBe(401);
  });

  test("beside another credential it is ambiguous", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account);
    const headers = { "x-api-key": key, authorization: `Bearer ${account.token}` };
    expect((await opener(bulwark)(headers)).status).toBe(400);
  });

  test("a bad key is 401 also where nobody need sign in", async () => {
    const { key } = await makeKey(app, await app.signUp());
    const bad = { headers: { "x-api-key": `${key.slice(0, -1)}0` } };
    const body = { email: "a@example.com", password: "x" };
    expect((await app.call("POST", "/api/auth/login", { ...bad, body })).status).toBe(401);
    expect((await app.call("GET", "/openapi.json", bad)).status).toBe(401);
  });

  test("a person opens no route of keys, and a key none of people", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account);
    const bearer = { authorization: `Bearer ${account.token}` };
    expect((await opener(bulwark)(bearer)).status).toBe(403);
    for (const path of ["/api/auth/me", "/api/auth/sessions", "/api/admin/users"]) {
      expect((await app.call("GET", path, { headers: { "x-api-key": key } })).status).toBe(403);
    }
  });
});

describe("limits", () => {
  test("of 500 requests over HTTP at once, 100 pass a limit of 100", async () => {
    const { key, id } = await makeKey(app, await app.signUp(), {
      limits: [
        // A window so long that nothing is refilled while the requests are on their way.
        { name: "day", requests: 100, window: "1d" },
        { name: "month", requests: 1_000, window: "30d" },
      ],
    });
    const headers = { "x-api-key": key };
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => app.call("GET", "/api/products", { headers })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(100);
    expect(statuses.filter((status) => status === 429)).toHaveLength(400);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    // What was refused took nothing of the other limit: it has exactly 900 left.
    const month = { name: "key:month", requests: 1_000, windowMs: 30 * 86_400_000 };
    const left = async (cost: number): Promise<boolean> =>
      (await bulwark.limiter.decide([{ policy: month, key: `key:${id}`, cost }])).allowed;
    expect([await left(901), await left(900)]).toEqual([false, true]);
  });

  test("validateAPIKey and requests share them, and say which was used up", async () => {
    const { key } = await makeKey(app, await app.signUp(), {
      limits: [{ name: "few", requests: 3, window: "1h" }],
    });
    expect(await validate(key)).toBe("valid");
    expect(await statusOf(bulwark, key)).toBe(200);
    expect(await validate(key)).toBe("valid");
    const error = await validate(key);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ violatedPolicies: ["key:few"] });
    expect(await statusOf(bulwark, key)).toBe(429);
  });

  test("no key has more than the limit by user, whatever it asks for", async () => {
    const { key } = await makeKey(app, await app.signUp(), {
      limits: [{ name: "many", requests: 1_000_000, window: "1s" }],
    });
    const { limits } = await apiKeys.validateAPIKey(key);
    expect(limits).toMatchObject([{ name: "key", requests: 1_200 }, { name: "key:many" }]);
  });
});

/** Requests of a quota that were taken, used or not yet. */
async function quotaUsed(id: string): Promise<number> {
  const rows = await app.query(sql`SELECT quota_used FROM bulwark.api_keys WHERE id = ${id}`);
  return Number(rows[0]?.["quota_used"]);
}

describe("a monthly quota", () => {
  test("is exact: of 300 at once 100 pass, until the next month", async () => {
    const { key, id } = await makeKey(app, await app.signUp(), { monthlyQuota: 100 });
    const results = await Promise.all(Array.from({ length: 300 }, () => validate(key)));
    expect(results.filter((result) => result === "valid")).toHaveLength(100);
    const [refused] = results.filter((result) => result !== "valid");
    expect(refused).toMatchObject({ violatedPolicies: ["monthly-quota"] });
    const now = new Date(clock.now());
    const next = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    expect((refused as RateLimitError).retryAfter).toBe(Math.ceil((next - clock.now()) / 1_000));
    expect(await statusOf(bulwark, key)).toBe(429);
    await apiKeys.flush();
    const [row] = await app.query(
      sql`SELECT requests FROM bulwark.api_key_usage WHERE key_id = ${id}`,
    );
    expect(Number(row?.["requests"])).toBe(100);
    clock.advance(next - clock.now());
    expect(await validate(key)).toBe("valid");
  });

  test("a request that a limit refuses takes nothing of it", async () => {
    const { key, id } = await makeKey(app, await app.signUp(), {
      monthlyQuota: 4,
      limits: [{ name: "few", requests: 2, window: "1h" }],
    });
    for (const status of [200, 200, 429, 429, 429]) {
      expect(await statusOf(bulwark, key)).toBe(status);
    }
    expect(await quotaUsed(id)).toBe(2);
  });

  test("what was taken and not used is given back", async () => {
    const { key, id } = await makeKey(app, await app.signUp(), { monthlyQuota: 100_000 });
    expect(await validate(key)).toBe("valid");
    expect(await quotaUsed(id)).toBe(100);
    await apiKeys.flush();
    await apiKeys.flush();
    expect(await quotaUsed(id)).toBe(1);
  });
});

test("a refusal of a known key is in the audit log with its reason, and counted when it goes on", async () => {
  const { id, key } = await makeKey(app, await app.signUp(), { allowedAddresses: ["10.0.0.1"] });
  for (let i = 0; i < 30; i += 1) expect(await statusOf(bulwark, key)).toBe(401);
  const events = await eventsOf(app, "apikey.refused");
  expect(events).toHaveLength(11);
  expect(events[0]).toMatchObject({
    resource: `api-key:${id}`,
    result: "blocked",
    address: "192.0.2.7",
    metadata: { reason: "address" },
  });
  expect(Number(events[10]?.["count"])).toBe(20);
});

test("where the store cannot say, a request is 503 and not admitted", async () => {
  const { key } = await makeKey(app, await app.signUp());
  apiKeys.forget(() => true);
  vi.spyOn(bulwark.database, "run").mockRejectedValueOnce(new Error("gone"));
  expect(await statusOf(bulwark, key)).toBe(503);
});

test("as a bearer token, and of a test environment, where that is configured", async () => {
  const other = await startApp({ apiKeys: { prefix: "acme", environment: "test", bearer: true } });
  try {
    const { key } = await makeKey(other, await other.signUp());
    expect(key).toMatch(/^acme_test_/);
    const open = opener(other.bulwark);
    expect((await open({ authorization: `Bearer ${key}` })).status).toBe(200);
    expect((await open({ authorization: `bearer ${key}x` })).status).toBe(401);
    expect((await open({ "x-api-key": key })).status).toBe(200);
    const account = await other.signUp();
    const me = await other.call("GET", "/api/auth/me", { token: account.token });
    expect(me.status).toBe(200);
    const { key: live } = await makeKey(app, await app.signUp());
    expect((await open({ authorization: `Bearer ${live}` })).status).toBe(401);
  } finally {
    await other.close();
  }
});
