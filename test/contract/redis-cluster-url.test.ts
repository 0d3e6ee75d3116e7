import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { UnavailableError } from "../../src/core/index.ts";
import { RedisRateLimiter } from "../../src/rate-limit/redis/index.ts";
import { RedisScripts, RedisState } from "../../src/state/redis.ts";
import { startApp } from "../support/app.ts";
import { startCluster } from "../support/redis-cluster.ts";

// A cluster that is named by a URL: the state, the limits, and an application on both.

const cluster = await startCluster();
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await cluster?.stop();
});

if (cluster === undefined) test.skip("a cluster: redis-server is not installed", () => {});

describe.skipIf(cluster === undefined)("a cluster of three nodes, by its URL", () => {
  const { nodes = [], password = "" } = cluster ?? {};
  const hosts = nodes.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
  const url = `redis+cluster://:${password}@${hosts.join(",")}`;

  function stateOf(budgetMs = 10_000): RedisState {
    const state = new RedisState({ url, production: false, budgetMs, prefix: randomUUID() });
    closing.push(() => state.close());
    return state;
  }

  test("the state keeps 300 keys at once, whichever node they lie on", async () => {
    const state = stateOf();
    const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`);
    await Promise.all(keys.map((key) => state.set(key, `value of ${key}`, "1m")));
    const first = keys.map((key) => state.set(key, "again", "1m", "absent"));
    expect(await Promise.all(first)).toEqual(keys.map(() => false));
    const values = await Promise.all(keys.map((key) => state.get(key)));
    expect(values).toEqual(keys.map((key) => `value of ${key}`));
    const swaps = keys.map((key) => state.swap(key, `value of ${key}`, "new", "1m"));
    expect(await Promise.all(swaps)).toEqual(keys.map(() => true));
    const takes = keys.flatMap((key) => [state.take(key), state.take(key)]);
    expect((await Promise.all(takes)).filter((value) => value === "new")).toHaveLength(300);
  });

  test("increments stop at the most, exactly", async () => {
    const state = stateOf();
    const options = { by: 1, atMost: 20, ttl: "1m" };
    const all = Array.from({ length: 300 }, (_, i) => state.increment(`n${i % 10}`, options));
    expect((await Promise.all(all)).filter(({ applied }) => applied)).toHaveLength(200);
  });

  test("messages are heard by those who listen elsewhere", async () => {
    const [teller, listener] = [stateOf(), stateOf()];
    const heard: string[] = [];
    const prefixed = new RedisState({ url, production: false, budgetMs: 10_000, prefix: "heard:" });
    const other = new RedisState({ url, production: false, budgetMs: 10_000, prefix: "heard:" });
    closing.push(
      () => prefixed.close(),
      () => other.close(),
    );
    const stop = await prefixed.subscribe("news", (message) => void heard.push(message));
    await other.publish("news", "one");
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(["one"]);
    await stop();
    // Another prefix is another channel.
    await listener.subscribe("news", (message) => void heard.push(message));
    await teller.publish("news", "two");
    expect(heard).toEqual(["one"]);
  });

  test("the settings of every node are looked at", async () => {
    expect(await stateOf().check()).toEqual({ evictionPolicy: "noeviction", problems: [] });
  });

  test("the limiter decides, exactly, by the scripts of the same URL", async () => {
    const redis = new RedisScripts({ url, production: false, budgetMs: 10_000 });
    closing.push(() => redis.close());
    await redis.open();
    const limiter = new RedisRateLimiter({ redis, isCluster: true, budgetMs: 10_000 });
    const policy = {
      name: randomUUID(),
      requests: 5,
      windowMs: 86_400_000,
      onFailure: "deny",
    } as const;
    const ask = async (i: number): Promise<boolean> =>
      (await limiter.decide([{ policy, key: `key ${i % 50}` }])).allowed;
    const all = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(i)));
    expect(all.filter((allowed) => allowed)).toHaveLength(250);
    expect(limiter.failed).toBe(0);
  });

  test("an application counts its limits there, those of one request too", async () => {
    const app = await startApp({
      redisUrl: url,
      limits: { login: { requests: 5, window: "1d" }, anonymous: { requests: 20, window: "1d" } },
      bans: "off",
    });
    closing.push(() => app.close());
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      statuses.push((await app.call("POST", "/api/auth/login", { body: {} })).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429, 429]);
    const { token } = await app.signUp();
    expect((await app.call("GET", "/api/auth/me", { token })).status).toBe(200);
  });

  test("a node that is gone takes its keys with it, within the budget, and no others", async () => {
    const state = stateOf(500);
    const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`);
    await Promise.all(keys.map((key) => state.set(key, "value", "1m")));
    process.kill(nodes[2]?.pid ?? 0, "SIGSTOP");
    try {
      const begun = performance.now();
      const settled = await Promise.allSettled(keys.map((key) => state.get(key)));
      expect(performance.now() - begun).toBeLessThan(2_500);
      const lost = settled.filter(({ status }) => status === "rejected");
      expect(lost.length).toBeGreaterThan(5);
      expect(lost.length).toBeLessThan(40);
      for (const each of lost) {
        expect((each as PromiseRejectedResult).reason).toBeInstanceOf(UnavailableError);
      }
    } finally {
      process.kill(nodes[2]?.pid ?? 0, "SIGCONT");
    }
    const isBack = async (): Promise<boolean> => {
      const settled = await Promise.allSettled(keys.map((key) => state.get(key)));
      return settled.every(({ status }) => status === "fulfilled");
    };
    await expect.poll(isBack, { timeout: 20_000, interval: 200 }).toBe(true);
  });
});
