import { randomUUID } from "node:crypto";
import { Cluster } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import type { LimitAlgorithm, LimitPolicy } from "../../src/core/index.ts";
import { RedisConcurrency, RedisRateLimiter } from "../../src/rate-limit/redis/index.ts";
import { startCluster } from "../support/redis-cluster.ts";

const cluster = await startCluster();
afterAll(() => cluster?.stop());

if (cluster === undefined) test.skip("a cluster: redis-server is not installed", () => {});

describe.skipIf(cluster === undefined)("a cluster of three nodes", () => {
  const { nodes = [], password = "" } = cluster ?? {};
  const client = new Cluster(
    nodes.map(({ port }) => ({ host: "127.0.0.1", port })),
    { redisOptions: { password, autoResendUnfulfilledCommands: false } },
  );
  afterAll(() => client.disconnect());
  const limiter = new RedisRateLimiter({ redis: client, isCluster: true, budgetMs: 10_000 });

  const policyOf = (requests: number, algorithm?: LimitAlgorithm): LimitPolicy => ({
    name: `${requests} {braces} ${algorithm ?? ""}`,
    requests,
    windowMs: 86_400_000,
    algorithm,
    onFailure: "deny",
  });

  test.each<LimitAlgorithm>([
    "token-bucket",
    "gcra",
    "sliding-window-counter",
    "sliding-window-log",
  ])(
    "200 keys at once have their limit each, whichever node they lie on: %s",
    async (algorithm) => {
      const policy = policyOf(5, algorithm);
      const prefix = randomUUID();
      const ask = async (i: number): Promise<boolean> =>
        (await limiter.decide([{ policy, key: `${prefix} ${i % 200}` }])).allowed;
      const all = await Promise.all(Array.from({ length: 2_000 }, (_, i) => ask(i)));
      expect(all.filter((allowed) => allowed)).toHaveLength(1_000);
      const sizes = await Promise.all(client.nodes("master").map((node) => node.dbsize()));
      expect(Math.min(...sizes)).toBeGreaterThan(20);
      expect(limiter.failed).toBe(0);
    },
  );

  test("what is decided together under one tag is charged wholly, or not at all", async () => {
    const [one, other, tag] = [randomUUID(), randomUUID(), randomUUID()];
    const both = [
      { policy: policyOf(10), key: one, tag },
      { policy: policyOf(2), key: other, tag },
    ];
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async () => limiter.decide(both)),
    );
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(2);
    const left = await limiter.decide([{ policy: policyOf(10), key: one, tag, cost: 0 }]);
    expect(left.states[0]?.remaining).toBe(8);
  });

  test("several tags are decided in order, without refund", async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const both = [
      { policy: policyOf(10), key: one },
      { policy: policyOf(2), key: other },
    ];
    for (let i = 0; i < 5; i += 1) {
      const { allowed, states } = await limiter.decide(both);
      expect(allowed).toBe(i < 2);
      // Once it is known to be refused, nobody else is charged.
      if (i > 2) expect(states).toHaveLength(1);
    }
    const left = await limiter.decide([{ policy: policyOf(10), key: one, cost: 0 }]);
    expect(left.states[0]?.remaining).toBe(7);
  });

  test.each(["", "{a}", "}{", "x".repeat(500), "\u{1f600}"])("%j lies somewhere", async (key) => {
    const policy = { ...policyOf(3), name: randomUUID() };
    const all = await Promise.all(
      Array.from({ length: 9 }, async () => limiter.decide([{ policy, key }])),
    );
    expect(all.filter(({ allowed }) => allowed)).toHaveLength(3);
    await limiter.forget(key);
    expect((await limiter.decide([{ policy, key }])).allowed).toBe(true);
  });

  test("every node that forgot the script is told it again", async () => {
    await Promise.all(client.nodes("master").map((node) => node.script("FLUSH")));
    const policy = policyOf(1);
    const keys = Array.from({ length: 50 }, () => randomUUID());
    const all = await Promise.all(keys.map(async (key) => limiter.decide([{ policy, key }])));
    expect(all.every(({ allowed }) => allowed)).toBe(true);
    expect(limiter.failed).toBe(0);
  });

  test("every key has a time to live", async () => {
    for (const node of client.nodes("master")) {
      const keys = await node.keys("*");
      for (const key of keys) expect(await node.pttl(key), key).toBeGreaterThan(0);
    }
  });

  test("places are counted", async () => {
    const places = new RedisConcurrency({ redis: client, budgetMs: 10_000 });
    const options = { name: "work", places: 3 };
    const key = randomUUID();
    const all = await Promise.all(Array.from({ length: 20 }, () => places.acquire(key, options)));
    const leases = all.filter((lease) => lease !== undefined);
    expect(leases).toHaveLength(3);
    await leases[0]?.release();
    expect(await places.acquire(key, options)).toBeDefined();
    expect(await places.acquire(key, options)).toBeUndefined();
  });
});
