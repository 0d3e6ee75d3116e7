// One decision of the limiter in Redis, beside a bare EVALSHA of a GCRA and rate-limiter-flexible: one at a time, and 64 in
// flight; the slowest of a hundred; and what a key costs that is known to be blocked. Needs redis-server.
import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { RedisRateLimiter } from "../../dist/rate-limit/redis/index.js";
import { findBinary, startRedis } from "../../scripts/services.js";
import { asyncRateOf, rateOf, runSuite } from "../harness.js";

const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + tonumber(ARGV[1])
if full - now > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', 60000)
return 1`;

const KEYS = Array.from({ length: 1_000 }, (_, i) => `user:${String(i).padStart(13, "0")}`);
const key = (i) => KEYS[i % KEYS.length];

/** The latency below which 99 of 100 calls of one round lie, kept beside the rate. */
function timed(work, latencies) {
  return async (i) => {
    const begun = performance.now();
    await work(i);
    latencies.push(performance.now() - begun);
  };
}

const p99 = (values) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;

export async function limiterRedis() {
  if (findBinary("redis-server") === undefined) {
    process.stdout.write("\nlimiter in Redis: SKIPPED, redis-server is not installed\n");
    return;
  }
  const server = await startRedis();
  const clients = Array.from({ length: 3 }, () => new Redis(server.url));
  const [bareClient, ourClient, flexibleClient] = clients;
  try {
    const sha = createHash("sha1").update(SCRIPT).digest("hex");
    await bareClient.script("LOAD", SCRIPT);
    const bare = (i) => bareClient.evalsha(sha, 1, `bare:${key(i)}`, 1, 60_000_000);
    const ours = new RedisRateLimiter({ redis: ourClient, budgetMs: 10_000 });
    const policy = { name: "bench", requests: 1_000_000, windowMs: 60_000 };
    const decide = (i) => ours.decide([{ policy, key: key(i) }]);
    const flexible = new RateLimiterRedis({
      storeClient: flexibleClient,
      points: 1_000_000,
      duration: 60,
    });
    const consume = (i) => flexible.consume(key(i), 1);
    const blocked = { name: "blocked", requests: 1, windowMs: 86_400_000 };
    await ours.decide([{ policy: blocked, key: "a" }]);
    // Asked for again every 5 seconds, as it would be.
    const refuse = async () => {
      await ours.decide([{ policy: blocked, key: "a" }]);
      return rateOf(() => ours.decide([{ policy: blocked, key: "a" }]));
    };
    const slow = { bare: [], ours: [], flexible: [] };
    const at = (inFlight, work, latencies) => () => {
      if (latencies !== undefined) latencies.length = 0;
      return asyncRateOf(latencies === undefined ? work : timed(work, latencies), { inFlight });
    };
    const slowest = { bare: [], ours: [], flexible: [] };
    const keep = (name, run) => async () => {
      const rate = await run();
      slowest[name].push(p99(slow[name]));
      return rate;
    };
    await runSuite({
      name: "limiter in Redis",
      unit: "decisions/s",
      cases: {
        "EVALSHA, 1 in flight (floor)": at(1, bare),
        "bulwark, 1 in flight": at(1, decide),
        "rate-limiter-flexible, 1 in flight": at(1, consume),
        "EVALSHA, 64 in flight (floor)": keep("bare", at(64, bare, slow.bare)),
        "bulwark, 64 in flight": keep("ours", at(64, decide, slow.ours)),
        "rate-limiter-flexible, 64 in flight": keep("flexible", at(64, consume, slow.flexible)),
        "bulwark, a blocked key": refuse,
      },
      ratios: [
        { case: "bulwark, 1 in flight", to: "EVALSHA, 1 in flight (floor)", atLeast: 0.9 },
        { case: "bulwark, 64 in flight", to: "rate-limiter-flexible, 64 in flight", atLeast: 2 },
        { case: "bulwark, 64 in flight", to: "EVALSHA, 64 in flight (floor)" },
        { case: "bulwark, a blocked key", to: "bulwark, 1 in flight", atLeast: 50 },
      ],
    });
    const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
    const [b, o, f] = [slowest.bare, slowest.ours, slowest.flexible].map(median);
    process.stdout.write(
      `  p99 with 64 in flight: EVALSHA ${b.toFixed(2)} ms, bulwark ${o.toFixed(2)} ms, ` +
        `rate-limiter-flexible ${f.toFixed(2)} ms  <= half of that ${o <= f / 2 ? "met" : "NOT MET"}\n`,
    );
  } finally {
    for (const client of clients) client.disconnect();
    await server.stop();
  }
}
