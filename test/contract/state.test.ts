import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import type { StateStore } from "../../src/core/index.ts";
import { MemoryState } from "../../src/state/index.ts";
import { RedisState } from "../../src/state/redis.ts";
import { startRedis } from "../support/services.ts";

/** One kind of store, and how a test lets time pass in it. */
interface Subject {
  readonly name: string;
  readonly state: StateStore;
  /** remaining returns the milliseconds that a key has left; undefined where there is no such key. */
  readonly remaining: (key: string) => Promise<number | undefined>;
  /** lapse ends the life of a key, as its expiry would. */
  readonly lapse: (key: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const LONG = "1h";
const LONG_MS = 3_600_000;

function memory(): Subject {
  let now = Date.UTC(2027, 0, 1);
  const state = new MemoryState({ clock: { now: () => now } });
  const at = async <T>(moment: number, look: () => Promise<T>): Promise<T> => {
    const before = now;
    now = moment;
    const seen = await look();
    now = before;
    return seen;
  };
  return {
    name: "MemoryState",
    state,
    // It tells no expiry: an entry is looked at a moment before and at the end of its hour.
    remaining: async (key) => {
      if ((await state.get(key)) === undefined) return undefined;
      expect(await at(now + LONG_MS - 1, () => state.get(key))).toBeDefined();
      return LONG_MS;
    },
    lapse: async () => {
      now += LONG_MS;
    },
    close: async () => {},
  };
}

function redis(url: string): Subject {
  const prefix = `contract:${randomUUID()}:`;
  const state = new RedisState({ url, prefix });
  const client = new Redis(url);
  return {
    name: "RedisState",
    state,
    remaining: async (key) => {
      const left = await client.pttl(prefix + key);
      return left === -2 ? undefined : left;
    },
    lapse: async (key) => {
      await client.pexpire(prefix + key, 0);
    },
    close: async () => {
      await state.close();
      client.disconnect();
    },
  };
}

const redisUrl = await startRedis();
const subjects = [memory(), ...(redisUrl === undefined ? [] : [redis(redisUrl)])];

if (redisUrl === undefined) test.skip("RedisState: redis-server is not installed", () => {});

const times = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

describe.each(subjects)("$name", ({ state, remaining, lapse, close }) => {
  afterAll(close);

  const newKey = (): string => randomUUID();

  /** livesAnHour: the key stands, and ends by itself. */
  async function livesAnHour(key: string): Promise<void> {
    const left = await remaining(key);
    expect(left).toBeGreaterThan(LONG_MS - 60_000);
    expect(left).toBeLessThanOrEqual(LONG_MS);
  }

  test("get returns what was set, until it expires", async () => {
    const key = newKey();
    expect(await state.get(key)).toBeUndefined();
    expect(await state.set(key, "a", LONG)).toBe(true);
    expect(await state.get(key)).toBe("a");
    await livesAnHour(key);
    await lapse(key);
    expect(await state.get(key)).toBeUndefined();
  });

  test.each(["", "\u0000\r\n*1", "\u00e4\u20ac\ud83d\ude00", "x".repeat(100_000)])(
    "any text is returned as it was set (%#)",
    async (value) => {
      const key = `${newKey()}${value.slice(0, 10)}`;
      await state.set(key, value, LONG);
      expect(await state.get(key)).toBe(value);
      expect(await state.take(key)).toBe(value);
    },
  );

  test("set replaces value and time to live", async () => {
    const key = newKey();
    await state.set(key, "a", "2h");
    await state.set(key, "b", LONG);
    expect(await state.get(key)).toBe("b");
    await livesAnHour(key);
  });

  test("set where absent", async () => {
    const key = newKey();
    expect(await state.set(key, "a", LONG, "absent")).toBe(true);
    expect(await state.set(key, "b", LONG, "absent")).toBe(false);
    expect(await state.get(key)).toBe("a");
    await livesAnHour(key);
    await lapse(key);
    expect(await state.set(key, "c", LONG, "absent")).toBe(true);
  });

  test("set where present", async () => {
    const key = newKey();
    expect(await state.set(key, "a", LONG, "present")).toBe(false);
    expect(await state.get(key)).toBeUndefined();
    await state.set(key, "a", "2h");
    expect(await state.set(key, "b", LONG, "present")).toBe(true);
    expect(await state.get(key)).toBe("b");
    await livesAnHour(key);
    await lapse(key);
    expect(await state.set(key, "c", LONG, "present")).toBe(false);
  });

  test("swap sets the next value only where the expected one stands", async () => {
    const key = newKey();
    expect(await state.swap(key, "", "b", LONG)).toBe(false);
    await state.set(key, "a", "2h");
    expect(await state.swap(key, "b", "c", LONG)).toBe(false);
    expect(await state.swap(key, "a", "b", LONG)).toBe(true);
    expect(await state.get(key)).toBe("b");
    await livesAnHour(key);
    await lapse(key);
    expect(await state.swap(key, "b", "c", LONG)).toBe(false);
  });

  test("take returns and deletes; nothing once expired", async () => {
    const key = newKey();
    await state.set(key, "a", LONG);
    expect(await state.take(key)).toBe("a");
    expect(await state.take(key)).toBeUndefined();
    await state.set(key, "a", LONG);
    await lapse(key);
    expect(await state.take(key)).toBeUndefined();
  });

  test("delete ends a key, and one that is not there", async () => {
    const key = newKey();
    await state.set(key, "a", LONG);
    await state.delete(key);
    await state.delete(key);
    expect(await state.get(key)).toBeUndefined();
  });

  test("increment counts from nothing; the first one sets the time to live", async () => {
    const key = newKey();
    expect(await state.increment(key, { ttl: LONG })).toEqual({ value: 1, applied: true });
    expect(await state.increment(key, { by: 4, ttl: "9h" })).toEqual({ value: 5, applied: true });
    expect(await state.get(key)).toBe("5");
    await livesAnHour(key);
    await lapse(key);
    expect(await state.increment(key, { ttl: LONG })).toEqual({ value: 1, applied: true });
  });

  test("a refused increment changes neither value nor time to live", async () => {
    const key = newKey();
    const over = { by: 2, atMost: 1, ttl: LONG };
    expect(await state.increment(key, over)).toEqual({ value: 0, applied: false });
    expect(await remaining(key)).toBeUndefined();
    await state.increment(key, { atMost: 1, ttl: LONG });
    expect(await state.increment(key, { ...over, ttl: "9h" })).toEqual({
      value: 1,
      applied: false,
    });
    await livesAnHour(key);
  });

  test("increment stays exact, and ends where numbers are no longer", async () => {
    const key = newKey();
    await state.set(key, String(Number.MAX_SAFE_INTEGER - 1), LONG);
    const last = { value: Number.MAX_SAFE_INTEGER, applied: true };
    expect(await state.increment(key, { ttl: LONG })).toEqual(last);
    expect(await state.increment(key, { ttl: LONG })).toEqual({ ...last, applied: false });
  });

  test.each(["", "a", "-1", "1.5", "1e3", " 1", "99999999999999999"])(
    "increment of what is no counter is a TypeError, and leaves it: %j",
    async (value) => {
      const key = newKey();
      await state.set(key, value, LONG);
      await expect(state.increment(key, { ttl: LONG })).rejects.toThrow(TypeError);
      expect(await state.get(key)).toBe(value);
    },
  );

  test.each([{ by: 0 }, { by: -1 }, { by: 1.5 }, { atMost: -1 }, { atMost: Number.NaN }])(
    "an increment out of range is a RangeError: %j",
    async (options) => {
      const call = state.increment(newKey(), { ...options, ttl: LONG });
      await expect(call).rejects.toThrow(RangeError);
    },
  );

  test.each(["", "0s", "-1s", "10", "forever"])("a ttl of %j is a RangeError", async (ttl) => {
    const key = newKey();
    await expect(state.set(key, "a", ttl)).rejects.toThrow(RangeError);
    await expect(state.swap(key, "a", "b", ttl)).rejects.toThrow(RangeError);
    await expect(state.increment(key, { ttl })).rejects.toThrow(RangeError);
  });

  test("200 parallel takes: one gets it", async () => {
    const key = newKey();
    await state.set(key, "once", LONG);
    const taken = await times(200, () => state.take(key));
    expect(taken.filter((value) => value === "once")).toHaveLength(1);
    expect(taken.filter((value) => value === undefined)).toHaveLength(199);
  });

  test("200 parallel sets where absent, and swaps: one wins, and its value stands", async () => {
    const key = newKey();
    const set = await times(200, (index) => state.set(key, `${index}`, LONG, "absent"));
    expect(set.filter(Boolean)).toHaveLength(1);
    expect(await state.get(key)).toBe(String(set.indexOf(true)));
    await state.set(key, "old", LONG);
    const swapped = await times(200, (index) => state.swap(key, "old", `new${index}`, LONG));
    expect(swapped.filter(Boolean)).toHaveLength(1);
    expect(await state.get(key)).toBe(`new${swapped.indexOf(true)}`);
  });

  test("200 parallel increments with atMost 7: exactly 7 are applied, each to another value", async () => {
    const key = newKey();
    const done = await times(200, () => state.increment(key, { atMost: 7, ttl: LONG }));
    const applied = done.filter((each) => each.applied).map((each) => each.value);
    expect(applied.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(done.filter((each) => !each.applied && each.value !== 7)).toEqual([]);
    await livesAnHour(key);
  });

  test("a message reaches every listener of its channel, until it leaves", async () => {
    const channel = newKey();
    const heard: string[] = [];
    const leave = await state.subscribe(channel, (message) => heard.push(`first ${message}`));
    await state.subscribe(channel, () => {
      throw new Error("a listener of the test");
    });
    const stay = (message: string): void => void heard.push(`second ${message}`);
    await state.subscribe(channel, stay);
    await state.subscribe(newKey(), () => heard.push("another channel"));
    await state.publish(channel, "1");
    await expect.poll(() => heard).toEqual(["first 1", "second 1"]);
    await leave();
    await leave();
    await state.publish(channel, "2");
    await expect.poll(() => heard).toEqual(["first 1", "second 1", "second 2"]);
  });

  test("who leaves the channel alone can come back", async () => {
    const channel = newKey();
    const heard: string[] = [];
    const listener = (message: string): void => void heard.push(message);
    const leave = await state.subscribe(channel, listener);
    const [back] = await Promise.all([state.subscribe(channel, listener), leave()]);
    await state.publish(channel, "1");
    await expect.poll(() => heard).toEqual(["1"]);
    await back();
    await state.publish(channel, "2");
    await state.subscribe(channel, listener);
    await state.publish(channel, "3");
    await expect.poll(() => heard).toEqual(["1", "3"]);
  });
});
