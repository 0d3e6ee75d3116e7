import type { BanDirectory, BanPage, BanQuery, StandingBan } from "../ban-directory.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { Script } from "./script.ts";

/** What is over goes first, a thousand at a time. KEYS: ends, facts; ARGV[1] now in ms. */
const PURGE = `
local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)
if #over > 0 then
  redis.call('ZREM', KEYS[1], unpack(over))
  redis.call('HDEL', KEYS[2], unpack(over))
end`;

/** ARGV: now, network, end, facts, most. */
const PUT = new Script(`${PURGE}
local isKnown = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not isKnown and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local life = string.format('%.0f', math.max(1, last[2] - ARGV[1]))
redis.call('PEXPIRE', KEYS[1], life)
redis.call('PEXPIRE', KEYS[2], life)
return 1`);

/** ARGV[1] the network. */
const REMOVE = new Script(`
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])`);

/** ARGV: now, offset, limit. Returns how many there are, and for each its network, end and facts. */
const PAGE = new Script(`${PURGE}
local answer = {redis.call('ZCARD', KEYS[1])}
local last = ARGV[2] + ARGV[3] - 1
local found = redis.call('ZREVRANGE', KEYS[1], ARGV[2], string.format('%.0f', last), 'WITHSCORES')
for index = 1, #found, 2 do
  answer[#answer + 1] = found[index]
  answer[#answer + 1] = found[index + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], found[index]) or ''
end
return answer`);

/** Bans that are listed; one more holds all the same. */
const MAX_LISTED = 10_000;

/**
 * RedisBanDirectory keeps the bans of all processes in two keys of one hash slot, which expire with the last ban.
 * @public
 */
export class RedisBanDirectory implements BanDirectory {
  readonly #redis: RedisCommands;
  readonly #keys: readonly [string, string];

  constructor({ redis, prefix = "bulwark:bans:" }: { redis: RedisCommands; prefix?: string }) {
    this.#redis = redis;
    this.#keys = [`${prefix}{all}:ends`, `${prefix}{all}:facts`];
  }

  async put({ network, until, step, reason }: StandingBan, now: number): Promise<void> {
    const facts = JSON.stringify({ step, reason });
    await PUT.run(this.#redis, this.#keys, [now, network, until, facts, MAX_LISTED]);
  }

  async remove(network: string): Promise<void> {
    await REMOVE.run(this.#redis, this.#keys, [network]);
  }

  async page({ offset, limit, now }: BanQuery): Promise<BanPage> {
    const answer = await PAGE.run(this.#redis, this.#keys, [now, offset, limit]);
    const [total, ...flat] = answer as readonly [number, ...string[]];
    const bans: StandingBan[] = [];
    for (let index = 0; index < flat.length; index += 3) {
      const [network = "", until, facts = ""] = flat.slice(index, index + 3);
      const { step, reason } = (facts === "" ? {} : JSON.parse(facts)) as Partial<StandingBan>;
      bans.push({ network, until: Number(until), step: step ?? 1, reason: reason ?? "" });
    }
    return { bans, total };
  }
}
