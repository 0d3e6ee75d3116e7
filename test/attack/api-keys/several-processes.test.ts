import { sql } from "drizzle-orm";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Bulwark, createBulwark } from "../../../src/bulwark/index.ts";
import { createLog } from "../../../src/observability/index.ts";
import { referenceMigrations } from "../../../src/server/index.ts";
import { SECRET, startApp } from "../../support/app.ts";
import { freshDatabase } from "../../support/services.ts";
import { makeKey, opener, READ, statusOf, WRITE } from "../../system/api-keys/support.ts";

const url = await freshDatabase();

// GHSA-2vg6: what ended in one process lived on in another.
describe.skipIf(url === undefined)("several processes on one PostgreSQL", async () => {
  if (url === undefined) return;
  const app = await startApp({ database: { url } });
  const another = async (): Promise<Bulwark> => {
    const made = createBulwark({
      mode: "development",
      issuer: app.bulwark.issuer,
      secret: SECRET,
      database: { url, maxConnections: 5 },
      clock: app.clock,
      log: createLog({ destination: { write: () => {} } }),
      migrations: referenceMigrations,
    });
    await made.ready();
    return made;
  };
  const others = [await another(), await another()] as const;
  const [there] = others;
  const all = [app.bulwark, ...others];
  const turn = (i: number): Bulwark => all[i % 3] ?? there;
  const { apiKeys, accounts } = app.bulwark;
  afterAll(async () => {
    for (const other of others) await other.close();
    await app.close();
  });
  beforeEach(app.reset);

  test.each<[what: string, end: (userId: string, id: string) => Promise<unknown>]>([
    ["revoked", (userId, id) => apiKeys.revoke(id, { userId }, {})],
    ["disabled", (userId, id) => apiKeys.update(id, { userId }, { enabled: false }, {})],
    ["rotated", (userId, id) => apiKeys.rotate(id, { userId }, undefined, {}, {})],
    ["whose owner is disabled", (userId) => accounts.disable(userId, {})],
    [
      "whose owner is deleted",
      (userId) => app.query(sql`DELETE FROM bulwark.users WHERE id = ${userId}`),
    ],
  ])("a key that is %s is refused at the next request of another", async (_what, end) => {
    const account = await app.signUp();
    const { id, key } = await makeKey(app, account);
    for (const each of all) expect(await statusOf(each, key)).toBe(200);
    await end(account.id, id);
    for (const each of all) expect(await statusOf(each, key)).toBe(401);
  });

  test("a role that is taken takes its scopes at the next request of another", async () => {
    const account = await app.signUp();
    const { key } = await makeKey(app, account, { scopes: [READ, WRITE] });
    const open = opener(there);
    expect((await open({ "x-api-key": key })).seen.scopes).toEqual([READ, WRITE]);
    await accounts.setRoles(account.id, [], {});
    expect((await open({ "x-api-key": key })).seen.scopes).toEqual([]);
  });

  test("a thousand validations at once are one read, however many keys", async () => {
    const account = await app.signUp();
    const keys = await Promise.all(Array.from({ length: 20 }, () => makeKey(app, account)));
    const run = vi.spyOn(there.database, "run");
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        there.apiKeys.validateAPIKey(keys[i % keys.length]?.key ?? ""),
      ),
    );
    expect(run).toHaveBeenCalledTimes(1);
    run.mockRestore();
  });

  test("twenty rotations over three processes make one successor", async () => {
    const account = await app.signUp();
    const { id } = await makeKey(app, account);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        turn(i).apiKeys.rotate(id, { userId: account.id }, undefined, { overlap: "1h" }, {}),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const rows = await app.query(sql`SELECT id FROM bulwark.api_keys`);
    expect(rows).toHaveLength(2);
  });

  test.each([1, 100, 1_000])(
    "a monthly quota of %i is exact over three processes",
    async (monthlyQuota) => {
      const { id, key } = await makeKey(app, await app.signUp(), { monthlyQuota });
      const wanted = 3 * monthlyQuota;
      const results = await Promise.allSettled(
        Array.from({ length: Math.min(wanted, 1_200) }, (_, i) =>
          turn(i).apiKeys.validateAPIKey(key),
        ),
      );
      // The limit of every key is 1,200 a minute in each process.
      const passed = results.filter(({ status }) => status === "fulfilled").length;
      expect(passed).toBe(monthlyQuota);
      for (const each of all) await each.apiKeys.flush();
      const [row] = await app.query(
        sql`SELECT sum(requests)::int AS used FROM bulwark.api_key_usage WHERE key_id = ${id}`,
      );
      expect(row?.["used"]).toBe(monthlyQuota);
    },
  );

  test("what three processes count of the same keys at once adds up", async () => {
    const account = await app.signUp();
    const keys = await Promise.all(Array.from({ length: 10 }, () => makeKey(app, account)));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(
        all.flatMap((each) => keys.map(({ key }) => each.apiKeys.validateAPIKey(key))),
      );
      await Promise.all(all.map((each) => each.apiKeys.flush()));
    }
    const rows = await app.query(sql`SELECT requests::int AS n FROM bulwark.api_key_usage`);
    expect(rows.map((row) => row["n"])).toEqual(keys.map(() => 9));
  });

  test("what could not be written is written later, and a key that is gone holds nothing up", async () => {
    const account = await app.signUp();
    const kept = await makeKey(app, account);
    const gone = await makeKey(app, account);
    for (const { key } of [kept, gone, kept]) await there.apiKeys.validateAPIKey(key);
    const failing = vi.spyOn(there.database, "transaction").mockRejectedValueOnce(new Error("no"));
    await expect(there.apiKeys.flush()).rejects.toThrow("no");
    failing.mockRestore();
    await apiKeys.revoke(gone.id, { userId: account.id }, {});
    await there.apiKeys.validateAPIKey(kept.key);
    await there.apiKeys.flush();
    const rows = await app.query(sql`SELECT key_id, requests::int AS n FROM bulwark.api_key_usage`);
    expect(rows).toEqual([{ key_id: kept.id, n: 3 }]);
  });
});
