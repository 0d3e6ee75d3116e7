import { connect, createServer } from "node:net";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import {
  type LimitAlgorithm,
  type LimitFailure,
  type LimitPolicy,
  UnavailableError,
  type Verdict,
} from "../../src/core/index.ts";
import {
  RedisConcurrency,
  RedisRateLimiter,
  type RedisRateLimiterOptions,
} from "../../src/rate-limit/redis/index.ts";
import { RedisScripts } from "../../src/state/redis.ts";
import { ownRedis, type Service, startRedis } from "../support/services.ts";

// What holds for every limiter is in limiter.test.ts; this is about the server and the way to it.

const available = (await startRedis()) !== undefined;
const BUDGET_MS = 200;
/** What a busy machine may add to a timer. */
const SLACK_MS = 500;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function server(options: Parameters<typeof ownRedis>[0] = {}): Promise<Service> {
  const service = await ownRedis(options);
  if (service === undefined) throw new Error("unreachable: the suite is skipped without a server");
  closing.push(() => service.stop());
  return service;
}

function clientOf(url: string): Redis {
  const client = new Redis(url);
  closing.push(() => client.disconnect());
  return client;
}

/** A limiter as an application has it, and what it told of its store. */
async function limiterAt(url: string, options: Partial<RedisRateLimiterOptions> = {}) {
  const redis = new RedisScripts({ url });
  closing.push(() => redis.close());
  await redis.open();
  const told: string[] = [];
  const onChange = (state: string): void => void told.push(state);
  const limiter = new RedisRateLimiter({ redis, budgetMs: BUDGET_MS, onChange, ...options });
  return { limiter, told };
}

const policyOf = (
  requests: number,
  onFailure: LimitFailure = "deny",
  algorithm: LimitAlgorithm = "token-bucket",
): LimitPolicy => ({
  name: `${requests} ${onFailure} ${algorithm}`,
  requests,
  windowMs: 86_400_000,
  algorithm,
  onFailure,
});

const burst = async (
  limiter: RedisRateLimiter,
  policy: LimitPolicy,
  key: string,
  count: number,
): Promise<number> => {
  const all = Array.from({ length: count }, async () => limiter.decide([{ policy, key }]));
  return (await Promise.all(all)).filter(({ allowed }) => allowed).length;
};

const callsOf = async (client: Redis, command: string): Promise<number> => {
  const stats = await client.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
};

/** Through here every answer of a server comes late. */
async function slowWayTo(port: number, delayMs: number): Promise<number> {
  const proxy = createServer((socket) => {
    const redis = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => redis.write(chunk));
    redis.on("data", (chunk) => setTimeout(() => socket.write(chunk), delayMs));
    socket.on("error", () => {}).on("close", () => redis.destroy());
  });
  closing.push(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const ALGORITHMS: readonly LimitAlgorithm[] = [
  "token-bucket",
  "sliding-window-counter",
  "sliding-window-log",
];

describe.skipIf(!available)(
  "RedisRateLimiter (skipped where redis-server is not installed)",
  () => {
    // redis#4548: INCR without EXPIRE, after a crash between the two, limits for ever.
    test("every key has a time to live, which is its window at most twice", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url);
      for (const algorithm of ALGORITHMS) {
        const policy = { ...policyOf(3, "deny", algorithm), windowMs: 60_000 };
        await burst(limiter, policy, "a", 5);
        await burst(limiter, policy, "a", 5);
        await burst(limiter, policy, "refused at once", 0);
        await limiter.decide([{ policy, key: "too heavy", cost: 4 }]);
        await limiter.decide([{ policy, key: "free", cost: 0 }]);
      }
      const places = new RedisConcurrency({ redis: clientOf(url) });
      await places.acquire("a", { name: "work", places: 2, lease: "30s" });
      const client = clientOf(url);
      const keys = await client.keys("*");
      expect(keys.toSorted()).toEqual([
        "bulwark:limit:b:3 deny token-bucket{a}",
        "bulwark:limit:c:3 deny sliding-window-counter{a}",
        "bulwark:limit:l:3 deny sliding-window-log{a}",
        "bulwark:places:work{a}",
      ]);
      for (const key of keys) {
        const left = await client.pttl(key);
        expect(left, key).toBeGreaterThan(20_000);
        expect(left, key).toBeLessThanOrEqual(120_000);
      }
    });

    test("a bucket that is added to keeps an expiry behind the moment at which it is full", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url, { budgetMs: 10_000 });
      const client = clientOf(url);
      const policy = { ...policyOf(1_000), windowMs: 60_000 };
      const name = "bulwark:limit:b:1000 deny token-bucket{a}";
      let total = 0;
      for (let round = 0; round < 150; round += 1) {
        // Alone, and in a batch: 18 seconds in all, so that moments lie in three cells at least.
        const cost = 1 + (round % 2);
        const both = [1, ...(cost === 1 ? [] : [0])].map(async (each) =>
          limiter.decide([{ policy, key: "a", cost: each * cost }]),
        );
        const [{ remaining, resetMs } = { remaining: 0, resetMs: 0 }] =
          (await Promise.all(both))[0]?.states ?? [];
        total += cost;
        expect(remaining).toBeGreaterThanOrEqual(1_000 - total);
        const left = await client.pttl(name);
        expect(left).toBeGreaterThan(resetMs - 1_000);
        expect(left).toBeLessThanOrEqual(resetMs + 8_400);
        // It is what the bucket says, not only what the answer says.
        const seconds = Number(await client.get(name)) / 64 / 1e6 + 1_700_000_000;
        const [now = 0] = (await client.time()).map(Number);
        expect(now * 1_000 + left).toBeGreaterThan(seconds * 1_000 - 1_000);
      }
      expect(await callsOf(client, "set")).toBeLessThan(12);
      // The expiry is lost, as by a PERSIST: it comes back within a cell.
      await client.persist(name);
      await limiter.decide([{ policy, key: "a", cost: 200 }]);
      expect(await client.pttl(name)).toBeGreaterThan(0);
    });

    test("a server that forgot the script is told it again, and counts on", async () => {
      const { url } = await server();
      const { limiter, told } = await limiterAt(url);
      const policy = policyOf(10);
      expect(await burst(limiter, policy, "a", 5)).toBe(5);
      await clientOf(url).script("FLUSH");
      expect(await burst(limiter, policy, "a", 20)).toBe(5);
      await clientOf(url).script("FLUSH");
      await limiter.forget("a");
      expect(await burst(limiter, policy, "a", 20)).toBe(10);
      expect(told).toEqual([]);
      expect(limiter.failed).toBe(0);
    });

    test("what one turn of the event loop asks is one step, 256 decisions at most", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url, { budgetMs: 10_000 });
      const client = clientOf(url);
      await limiter.decide([{ policy: policyOf(1_000), key: "warm" }]);
      const before = await callsOf(client, "evalsha");
      const policy = policyOf(600);
      expect(await burst(limiter, policy, "a", 1_000)).toBe(600);
      expect((await callsOf(client, "evalsha")) - before).toBe(4);
    });

    test("decisions of one batch are made in the order in which they came", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url);
      const policy = policyOf(300);
      const all = Array.from({ length: 500 }, async () => limiter.decide([{ policy, key: "a" }]));
      const passed = (await Promise.all(all)).map(({ allowed }) => allowed);
      expect(passed.indexOf(false)).toBe(300);
      expect(passed.lastIndexOf(true)).toBe(299);
    });

    test.each(ALGORITHMS)(
      "clocks that are 10 s apart are no second limit: %s",
      async (algorithm) => {
        const { url } = await server();
        const limiters = await Promise.all(
          [-10_000, 0, 10_000].map((skew) =>
            limiterAt(url, { clock: { now: () => Date.now() + skew } }),
          ),
        );
        const policy = { ...policyOf(100, "deny", algorithm), windowMs: 5_000_000 };
        let passed = 0;
        for (let round = 0; round < 10; round += 1) {
          const counts = limiters.map(({ limiter }) => burst(limiter, policy, "a", 5));
          passed += (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
        }
        expect(passed).toBe(100);
      },
    );

    describe("a key that is blocked", () => {
      test("costs the server nothing, and is lifted at once by forget", async () => {
        const { url } = await server();
        let now = Date.now();
        const { limiter } = await limiterAt(url, { clock: { now: () => now } });
        const client = clientOf(url);
        const policy = policyOf(1);
        await burst(limiter, policy, "a", 2);
        const before = await callsOf(client, "evalsha");
        for (let i = 0; i < 1_000; i += 1) {
          const verdict = limiter.decide([{ policy, key: "a" }]);
          // Not even a promise.
          expect((verdict as Verdict).violated).toEqual([policy.name]);
        }
        now += 4_999;
        expect((limiter.decide([{ policy, key: "a" }]) as Verdict).allowed).toBe(false);
        expect(await callsOf(client, "evalsha")).toBe(before);
        await limiter.forget("a");
        expect(await burst(limiter, policy, "a", 2)).toBe(1);
      });

      test("is asked for again after 5 seconds, by another cost, and by another limit", async () => {
        const { url } = await server();
        let now = Date.now();
        const { limiter } = await limiterAt(url, { clock: { now: () => now } });
        const policy = policyOf(10);
        expect((await limiter.decide([{ policy, key: "a", cost: 11 }])).allowed).toBe(false);
        expect(limiter.denied).toBe(1);
        expect((await limiter.decide([{ policy, key: "a", cost: 10 }])).allowed).toBe(true);
        expect((await limiter.decide([{ policy, key: "a" }])).allowed).toBe(false);
        expect((await limiter.decide([{ policy: policyOf(9), key: "a" }])).allowed).toBe(true);
        // An operator lifts it elsewhere: here it is noticed within 5 seconds.
        await clientOf(url).flushall();
        expect((await limiter.decide([{ policy, key: "a" }])).allowed).toBe(false);
        now += 5_000;
        expect((await limiter.decide([{ policy, key: "a" }])).allowed).toBe(true);
      });

      test("is let go by a clock that is set back", async () => {
        const { url } = await server();
        let now = Date.now();
        const { limiter } = await limiterAt(url, { clock: { now: () => now } });
        const policy = policyOf(1);
        await burst(limiter, policy, "a", 2);
        await clientOf(url).flushall();
        now -= 3_600_000;
        expect((await limiter.decide([{ policy, key: "a" }])).allowed).toBe(true);
      });

      test("is one of 10,000 at most", async () => {
        const { url } = await server();
        const { limiter } = await limiterAt(url, { budgetMs: 30_000 });
        const policy = policyOf(1);
        const refuse = async (i: number): Promise<unknown> =>
          limiter.decide([{ policy, key: `key ${i}`, cost: 2 }]);
        await Promise.all(Array.from({ length: 10_200 }, (_, i) => refuse(i)));
        expect(limiter.denied).toBe(10_000);
      });
    });

    /** Each way to fail, while the server cannot be asked. */
    async function failsAsStated(limiter: RedisRateLimiter): Promise<void> {
      const begun = performance.now();
      const deny = async (): Promise<unknown> =>
        limiter.decide([{ policy: policyOf(10, "deny"), key: "a" }]);
      await expect(deny()).rejects.toThrow(UnavailableError);
      const local = await burst(limiter, policyOf(10, "local"), "a", 30);
      expect(local).toBeLessThanOrEqual(10);
      expect(await burst(limiter, policyOf(10, "insecureAllow"), "a", 30)).toBe(30);
      // Together, the strictest stands.
      const mixed = async (): Promise<unknown> =>
        limiter.decide([
          { policy: policyOf(10, "insecureAllow"), key: "a" },
          { policy: policyOf(11, "deny"), key: "a" },
        ]);
      await expect(mixed()).rejects.toThrow(UnavailableError);
      const some = await limiter.decide([
        { policy: policyOf(10, "insecureAllow"), key: "b" },
        { policy: policyOf(12, "local"), key: "b" },
      ]);
      expect(some.states.map(({ policy }) => policy.name)).toEqual([
        policyOf(10, "insecureAllow").name,
        policyOf(12, "local").name,
      ]);
      expect(performance.now() - begun).toBeLessThan(3 * (BUDGET_MS + SLACK_MS));
    }

    const isBack = (limiter: RedisRateLimiter): Promise<void> =>
      expect
        .poll(
          async () => {
            const before = limiter.failed;
            await Promise.resolve(
              limiter.decide([{ policy: policyOf(1_000_000, "local"), key: "probe" }]),
            );
            return limiter.failed === before;
          },
          { timeout: 20_000, interval: 50 },
        )
        .toBe(true);

    test("paused: each limit fails as it says, within the budget; resumed: it decides again", async () => {
      const { url, pid } = await server();
      const { limiter, told } = await limiterAt(url, { pauseMs: 300 });
      expect(await burst(limiter, policyOf(10, "deny"), "a", 4)).toBe(4);
      process.kill(pid, "SIGSTOP");
      try {
        for (let round = 0; round < 3; round += 1) await failsAsStated(limiter);
        expect(told).toEqual(["open"]);
        expect(limiter.isOpen).toBe(true);
        // By now it is given up: nothing waits, whatever is asked.
        const begun = performance.now();
        for (let i = 0; i < 1_000; i += 1) {
          await limiter.decide([{ policy: policyOf(100_000, "local"), key: "a" }]);
        }
        expect(performance.now() - begun).toBeLessThan(5 * (BUDGET_MS + SLACK_MS));
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await isBack(limiter);
      expect(told).toEqual(["open", "closed"]);
      // What was counted before is there, and what got no answer was not sent a second time.
      const left = await burst(limiter, policyOf(10, "deny"), "a", 30);
      expect(left).toBeLessThanOrEqual(6);
    });

    test("killed: each limit fails as it says; restarted: it decides again, and knows the script", async () => {
      const first = await server();
      const { limiter, told } = await limiterAt(first.url, { pauseMs: 300 });
      expect(await burst(limiter, policyOf(10, "deny"), "a", 4)).toBe(4);
      process.kill(first.pid, "SIGKILL");
      await first.ended;
      for (let round = 0; round < 3; round += 1) await failsAsStated(limiter);
      await expect.poll(() => told).toEqual(["open"]);
      await server({ port: first.port, password: new URL(first.url).password });
      await isBack(limiter);
      expect(told).toEqual(["open", "closed"]);
      expect(await burst(limiter, policyOf(10, "deny"), "a", 30)).toBe(10);
    });

    test("out of memory: a limit that cannot be written fails as it says", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url);
      await clientOf(url).config("SET", "maxmemory", "1");
      const decide = async (): Promise<unknown> =>
        limiter.decide([{ policy: policyOf(10, "deny"), key: "a" }]);
      await expect(decide()).rejects.toThrow(UnavailableError);
      expect(await burst(limiter, policyOf(10, "local"), "a", 30)).toBe(10);
    });

    test("a process gives its share, and no new one when the server comes and goes", async () => {
      const { url, pid } = await server();
      const { limiter } = await limiterAt(url, { processes: 4, failures: 1, pauseMs: 100 });
      const policy = policyOf(100, "local");
      let local = 0;
      for (let flap = 0; flap < 3; flap += 1) {
        process.kill(pid, "SIGSTOP");
        try {
          local += await burst(limiter, policy, "a", 60);
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await isBack(limiter);
      }
      expect(local).toBe(25);
    });

    test("a decision that got no answer in time is not made a second time", async () => {
      const { url, port } = await server();
      const slow = await slowWayTo(port, 2 * BUDGET_MS);
      const redis = new RedisScripts({
        url: url.replace(`:${port}`, `:${slow}`),
        budgetMs: 10_000,
      });
      closing.push(() => redis.close());
      await redis.open();
      const limiter = new RedisRateLimiter({ redis, budgetMs: BUDGET_MS, failures: 1_000 });
      const policy = policyOf(1_000, "insecureAllow");
      for (let i = 0; i < 5; i += 1) {
        expect((await limiter.decide([{ policy, key: "a" }])).allowed).toBe(true);
      }
      expect(limiter.failed).toBe(5);
      const { limiter: straight } = await limiterAt(url);
      const read = async (): Promise<number | undefined> =>
        (await straight.decide([{ policy, key: "a", cost: 0 }])).states[0]?.remaining;
      // Each was taken once; the first may have come as a whole, after the server did not know its digest.
      await expect.poll(read, { timeout: 5_000 }).toBe(995);
    });

    test("a busy process does not take an answer that is there for one that is late", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url, { budgetMs: 50 });
      const policy = policyOf(1_000);
      // The server knows the script by now, so that one answer is all that is waited for.
      await burst(limiter, policy, "a", 20);
      const decided = Array.from({ length: 20 }, async () =>
        limiter.decide([{ policy, key: "a" }]),
      );
      await new Promise<void>((resolve) => setImmediate(resolve));
      const until = performance.now() + 200;
      while (performance.now() < until);
      expect((await Promise.all(decided)).every(({ allowed }) => allowed)).toBe(true);
      expect(limiter.failed).toBe(0);
    });

    test("nor one that was sent after the look at what is late was due", async () => {
      const answerLater = (): Promise<unknown> =>
        new Promise((resolve) => setImmediate(() => resolve(0)));
      const redis = { evalsha: answerLater, eval: answerLater };
      const limiter = new RedisRateLimiter({ redis, budgetMs: 20 });
      const policy = policyOf(10);
      // Both timers are due at once, this one first.
      const decided = new Promise<Verdict>((resolve) => {
        setTimeout(() => {
          setImmediate(() => {
            resolve(limiter.decide([{ policy, key: "a" }]));
            process.nextTick(() => {
              const until = performance.now() + 40;
              while (performance.now() < until);
            });
          });
        }, 20);
      });
      await limiter.decide([{ policy, key: "a" }]);
      expect((await decided).allowed).toBe(true);
      expect(limiter.failed).toBe(0);
    });

    test.each([
      ["budgetMs", 0],
      ["budgetMs", 60_001],
      ["processes", 0],
      ["failures", 1.5],
      ["pauseMs", Number.NaN],
    ])("%s of %d is a RangeError", (field, value) => {
      const redis = { evalsha: async () => 0, eval: async () => 0 };
      expect(() => new RedisRateLimiter({ redis, [field]: value })).toThrow(
        `${field}: expected a whole number`,
      );
    });

    test.each([[null], ["text"], [""], [[]], [["x"]], [[1, 0]]])(
      "an answer such as %j is none",
      async (answer) => {
        const redis = { evalsha: async () => answer, eval: async () => answer };
        const limiter = new RedisRateLimiter({ redis });
        const decide = async (): Promise<unknown> =>
          limiter.decide([{ policy: policyOf(10, "deny"), key: "a" }]);
        await expect(decide()).rejects.toThrow(UnavailableError);
      },
    );

    test("the seed's form: limit requests in any window, exactly", async () => {
      const { url } = await server();
      const { limiter } = await limiterAt(url);
      const all = Array.from({ length: 200 }, () => limiter.checkLimit("user:1", 100, 3_600_000));
      const results = await Promise.all(all);
      expect(results.filter(({ allowed }) => allowed)).toHaveLength(100);
      expect(results.at(-1)).toMatchObject({ allowed: false, remaining: 0 });
      expect(results.at(-1)?.resetAt.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    });
  },
);
