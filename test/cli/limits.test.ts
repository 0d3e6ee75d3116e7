import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { bulwark, launch, temporaryFolder } from "../support/process.ts";
import { ownRedis, startRedis } from "../support/services.ts";

const available = (await startRedis()) !== undefined;
const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const env = { BULWARK_DATA_DIR: dataDir };

describe("fails and says why on standard error", () => {
  test.each([
    [["limits"], "lift"],
    [["limits", "nonsense"], "unknown command 'nonsense'"],
    [["limits", "list", "--dev", "more"], "too many arguments"],
    [["limits", "list", "--dev", "--page", "1"], "unknown option '--page'"],
    [["limits", "lift", "--dev"], "an address or --key: expected one, came none"],
    [["limits", "lift", "--dev", "1.2.3.4", "--key", "a"], "expected one, came both"],
    [["limits", "lift", "--dev", "1.2.3"], 'address: expected an IP address, came "1.2.3"'],
    [["limits", "lift", "--dev", "10.0.0.0/8"], "address: expected an IP address"],
    [["limits", "lift", "--dev", "a", "b"], "too many arguments"],
    [["limits", "list"], "BULWARK_SECRET: expected"],
    [["limits", "lift", "1.2.3.4"], "BULWARK_SECRET: expected"],
  ])("%j", async (args, reason) => {
    const { code, stdout, stderr } = await bulwark(args, { env });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.each([["list"], ["lift", "1.2.3.4"]])(
    "limits %s without Redis, where it names the routes that can",
    async (...args) => {
      const { code, stdout, stderr } = await bulwark(["limits", ...args, "--dev"], { env });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("in the memory of the server's process");
      expect(stderr).toContain("GET /api/admin/limits/bans");
      expect(stderr).toContain("POST /api/admin/limits/lift");
    },
  );

  test("a Redis that does not answer", { timeout: 60_000 }, async () => {
    const args = ["limits", "list", "--dev"];
    const { code, stdout, stderr } = await bulwark(args, {
      env: { ...env, REDIS_URL: "redis://127.0.0.1:1" },
    });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/bulwark: .*Redis/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

test.skipIf(!available)(
  "whom a server bans is listed, and lifted there",
  { timeout: 180_000 },
  async () => {
    const redis = await ownRedis();
    const shared = { REDIS_URL: redis?.url ?? "" };
    const run = (...args: readonly string[]) =>
      bulwark(["limits", ...args, "--dev"], { env: { ...env, ...shared } });
    const server = await launch({
      env: { ...shared, BULWARK_LIMITS: "address=20/1h", BULWARK_BANS: "5/10m" },
    });
    try {
      await server.until(/Data: PGlite.*\n/);
      const ask = async (): Promise<string> => {
        const answer = await fetch(`${server.url}/nothing`);
        return `${answer.status} ${await answer.text()}`;
      };
      await Promise.all(Array.from({ length: 40 }, ask));
      await expect.poll(ask, { timeout: 10_000 }).toContain('"ban"');

      const listed = await run("list");
      expect(listed).toMatchObject({ code: 0 });
      expect(listed.stdout).toMatch(
        /^127\.0\.0\.1 {2}until 20\d\d-\S+Z {2}step 1 {2}refused too often\n$/,
      );
      const views = JSON.parse((await run("list", "--json")).stdout);
      expect(views).toMatchObject([{ network: "127.0.0.1", step: 1 }]);

      const lifted = await run("lift", "127.0.0.1");
      expect(lifted).toMatchObject({ code: 0, stdout: "address:127.0.0.1 banned no longer\n" });
      await expect.poll(ask, { timeout: 10_000 }).toMatch(/^404/);
      expect((await run("list")).stdout).toBe("");

      const again = await run("lift", "127.0.0.1", "--json");
      expect(JSON.parse(again.stdout)).toEqual({ key: "address:127.0.0.1", wasBanned: false });
      expect(await run("lift", "--key", "user-1")).toMatchObject({
        code: 0,
        stdout: "user-1 lifted\n",
      });
    } finally {
      await server.stop();
      await redis?.stop();
    }
  },
);
