import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { type BanDirectory, BanLadder, type StandingBan } from "../../src/rate-limit/index.ts";
import { RedisBanDirectory } from "../../src/rate-limit/redis/index.ts";
import { startRedis } from "../support/services.ts";

// The list of bans that processes share.

const url = await startRedis();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

let count = 0;
function directoryOf(): { readonly directory: BanDirectory; readonly redis: Redis } {
  const redis = new Redis(url ?? "");
  closing.push(() => redis.disconnect());
  count += 1;
  const prefix = `test:bans:${process.pid}:${count}:`;
  return { directory: new RedisBanDirectory({ redis, prefix }), redis };
}

const NOW = 1_798_761_600_000;
const ban = (network: string, until: number, step = 1): StandingBan => ({
  network,
  until: NOW + until,
  step,
  reason: `by "hand"\n{${network}}`,
});
const all = { offset: 0, limit: 100, now: NOW };

describe.skipIf(url === undefined)("in Redis", () => {
  test("bans are listed with what was said of them, the longest first, a page at a time", async () => {
    const { directory } = directoryOf();
    const bans = [ban("1.2.3.4", 1_000), ban("2001:db8:1:2::/64", 3_000, 2), ban("5.6.7.8", 2_000)];
    await Promise.all(bans.map((each) => directory.put(each, NOW)));
    const sorted = bans.toSorted((a, b) => b.until - a.until);
    expect(await directory.page(all)).toEqual({ bans: sorted, total: 3 });
    const second = await directory.page({ ...all, offset: 1, limit: 1 });
    expect(second).toEqual({ bans: [sorted[1]], total: 3 });
    expect(await directory.page({ ...all, offset: 3 })).toEqual({ bans: [], total: 3 });
  });

  test("what is over is listed no more, and what is lifted neither; a ban that is renewed stands once", async () => {
    const { directory } = directoryOf();
    await directory.put(ban("1.2.3.4", 1_000), NOW);
    await directory.put(ban("5.6.7.8", 2_000), NOW);
    await directory.put(ban("9.9.9.9", 3_000), NOW);
    await directory.put(ban("5.6.7.8", 9_000, 2), NOW);
    await directory.remove("9.9.9.9");
    expect(await directory.page({ ...all, now: NOW + 1_000 })).toEqual({
      bans: [ban("5.6.7.8", 9_000, 2)],
      total: 1,
    });
  });

  test("both keys expire with the last ban", async () => {
    const { directory, redis } = directoryOf();
    await directory.put(ban("1.2.3.4", 500_000), NOW);
    await directory.put(ban("5.6.7.8", 1_000), NOW);
    const keys = await redis.keys(`test:bans:${process.pid}:${count}:*`);
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = await redis.pttl(key);
      expect(left).toBeGreaterThan(400_000);
      expect(left).toBeLessThanOrEqual(500_000);
    }
  });

  test("a burst of 10,100 lists 10,000, and still renews those", { timeout: 60_000 }, async () => {
    const { directory } = directoryOf();
    const networks = Array.from({ length: 10_100 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
    await Promise.all(networks.map((network) => directory.put(ban(network, 60_000), NOW)));
    expect((await directory.page(all)).total).toBe(10_000);
    await directory.put(ban("10.0.0.1", 90_000, 3), NOW);
    expect((await directory.page({ ...all, limit: 1 })).bans).toEqual([ban("10.0.0.1", 90_000, 3)]);
  });

  test("a ladder learns at its start more than a page of them", { timeout: 60_000 }, async () => {
    const { directory } = directoryOf();
    const networks = Array.from({ length: 2_500 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
    await Promise.all(networks.map((network) => directory.put(ban(network, 60_000), NOW)));
    const ladder = new BanLadder({ directory, clock: { now: () => NOW } });
    await ladder.open();
    expect(ladder.size).toBe(2_500);
    expect(networks.every((network) => ladder.isBanned(network))).toBe(true);
  });
});
