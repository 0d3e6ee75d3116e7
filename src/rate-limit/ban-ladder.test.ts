import { expect, test } from "vitest";
import type { StateStore } from "../core/index.ts";
import { type Ban, BanLadder, type BanLadderOptions } from "./ban-ladder.ts";

const MINUTE = 60_000;

function ladder(options: BanLadderOptions = {}, shared = { now: 0 }) {
  const made: Ban[] = [];
  const bans = new BanLadder({
    clock: { now: () => shared.now },
    strikes: { requests: 3, window: "1m" },
    onBan: (ban) => void made.push(ban),
    ...options,
  });
  return { bans, made, time: shared };
}

/** A ban is made behind a look at the state. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function strike(bans: BanLadder, address: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) bans.refused(address);
  await settle();
}

test("three refusals are forgiven, the fourth bans for a minute", async () => {
  const { bans, made, time } = ladder();
  await strike(bans, "1.2.3.4", 3);
  expect(bans.isBanned("1.2.3.4")).toBe(false);
  await strike(bans, "1.2.3.4", 1);
  expect(bans.bannedFor("1.2.3.4")).toBe(MINUTE);
  expect(bans.isBanned("1.2.3.5")).toBe(false);
  expect(made).toEqual([
    { network: "1.2.3.4", durationMs: MINUTE, step: 1, reason: "refused too often" },
  ]);
  time.now += MINUTE - 1;
  expect(bans.isBanned("1.2.3.4")).toBe(true);
  time.now += 1;
  expect(bans.isBanned("1.2.3.4")).toBe(false);
});

test("each ban is a step higher, the last step repeats, and a quiet day forgets", async () => {
  const { bans, made, time } = ladder();
  for (let round = 0; round < 6; round += 1) {
    await strike(bans, "1.2.3.4", 4);
    time.now += bans.bannedFor("1.2.3.4");
  }
  const [HOUR, DAY] = [60 * MINUTE, 1_440 * MINUTE];
  expect(made.map(({ durationMs }) => durationMs)).toEqual([
    MINUTE,
    10 * MINUTE,
    HOUR,
    DAY,
    DAY,
    DAY,
  ]);
  time.now += DAY;
  await strike(bans, "1.2.3.4", 4);
  expect(made.at(-1)).toMatchObject({ durationMs: MINUTE, step: 1 });
});

test("what is asked while banned makes no ban longer", async () => {
  const { bans, made } = ladder();
  await strike(bans, "1.2.3.4", 4);
  await strike(bans, "1.2.3.4", 100);
  expect(made).toHaveLength(1);
});

test("refusals that are few for their time ban nobody", async () => {
  const { bans, made, time } = ladder();
  for (let i = 0; i < 100; i += 1) {
    await strike(bans, "1.2.3.4", 1);
    time.now += 20_000;
  }
  expect(made).toEqual([]);
});

// CVE-2026-45364: the lower half of an IPv6 address is the client's to choose.
test("an IPv6 address stands for its /64", async () => {
  const { bans } = ladder();
  for (let i = 0; i < 4; i += 1) await strike(bans, `2001:db8:1:2::${i}`, 1);
  expect(bans.isBanned("2001:db8:1:2:ffff::1")).toBe(true);
  expect(bans.isBanned("2001:db8:1:3::1")).toBe(false);
});

test("an address of our own proxies is never banned, nor one that is unknown", async () => {
  const { bans, made } = ladder({ isExempt: (address) => address === "10.0.0.1" });
  await strike(bans, "10.0.0.1", 100);
  for (let i = 0; i < 100; i += 1) bans.refused(undefined);
  await bans.ban("10.0.0.1", "1h", "by hand");
  expect(bans.isBanned("10.0.0.1")).toBe(false);
  expect(bans.bannedFor(undefined)).toBe(0);
  expect(made).toEqual([]);
});

test("a ban by hand lasts as it says, and a lift ends it and forgets what led to it", async () => {
  const lifted: string[] = [];
  const { bans } = ladder({ onLift: (network) => void lifted.push(network) });
  await bans.ban("1.2.3.4", "2h", "by hand");
  expect(bans.bannedFor("1.2.3.4")).toBe(120 * MINUTE);
  await bans.lift("1.2.3.4");
  expect(bans.isBanned("1.2.3.4")).toBe(false);
  await strike(bans, "1.2.3.4", 4);
  expect(bans.bannedFor("1.2.3.4")).toBe(MINUTE);
  await strike(bans, "5.6.7.8", 3);
  await bans.lift("5.6.7.8");
  await strike(bans, "5.6.7.8", 3);
  expect(bans.isBanned("5.6.7.8")).toBe(false);
  expect(lifted).toEqual(["1.2.3.4", "5.6.7.8"]);
});

test("bans are listed, the longest first, a page at a time, and those that are over are not", async () => {
  const { bans, time } = ladder();
  await bans.ban("1.2.3.4", "1h", "by hand");
  await bans.ban("2001:db8:1:2::1", "2h", "by hand");
  await strike(bans, "5.6.7.8", 4);
  const all = { offset: 0, limit: 10 };
  expect(await bans.list(all)).toEqual({
    total: 3,
    bans: [
      { network: "2001:db8:1:2::/64", until: 120 * MINUTE, step: 1, reason: "by hand" },
      { network: "1.2.3.4", until: 60 * MINUTE, step: 1, reason: "by hand" },
      { network: "5.6.7.8", until: MINUTE, step: 1, reason: "refused too often" },
    ],
  });
  time.now += MINUTE;
  const second = await bans.list({ offset: 1, limit: 1 });
  expect(second).toMatchObject({ total: 2, bans: [{ network: "1.2.3.4" }] });
  await bans.lift("1.2.3.4");
  expect((await bans.list(all)).total).toBe(1);
});

test("a lift is told with who did it, and waits until that is written", async () => {
  const told: unknown[] = [];
  const { bans } = ladder({
    onLift: async (network, by) => {
      await settle();
      told.push([network, by]);
    },
  });
  await bans.lift("1.2.3.4", { userId: "ada" });
  expect(told).toEqual([["1.2.3.4", { userId: "ada" }]]);
});

test("10,000 are banned at once; a flood forgets none of them", async () => {
  const { bans } = ladder();
  const address = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 0; i < 10_100; i += 1) await bans.ban(address(i), "1h", "flood");
  expect(bans.size).toBe(10_000);
  expect(bans.isBanned(address(0))).toBe(true);
  expect(bans.isBanned(address(10_050))).toBe(false);
});

/** A store that two processes share. */
function sharedState(): StateStore {
  const values = new Map<string, string>();
  const listeners = new Set<(message: string) => void>();
  return {
    get: async (key: string) => values.get(key),
    set: async (key: string, value: string) => values.set(key, value) !== undefined,
    delete: async (key: string) => void values.delete(key),
    publish: async (_channel: string, message: string) => {
      for (const listener of listeners) listener(message);
    },
    subscribe: async (_channel: string, listener: (message: string) => void) => {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
  } as unknown as StateStore;
}

test("other processes hear of a ban and of its end", async () => {
  const state = sharedState();
  const [one, other] = [ladder({ state }), ladder({ state })];
  await Promise.all([one.bans.open(), other.bans.open()]);
  await strike(one.bans, "1.2.3.4", 4);
  expect(other.bans.bannedFor("1.2.3.4")).toBe(MINUTE);
  expect(other.made).toEqual([]);
  await other.bans.lift("1.2.3.4");
  expect(one.bans.isBanned("1.2.3.4")).toBe(false);
  await one.bans.close();
  await strike(other.bans, "1.2.3.4", 4);
  expect(one.bans.isBanned("1.2.3.4")).toBe(false);
});

test("a process that was not there looks for a ban at the first refusal, and knows the step", async () => {
  const state = sharedState();
  const time = { now: 0 };
  const one = ladder({ state }, time);
  await strike(one.bans, "1.2.3.4", 4);
  const late = ladder({ state }, time);
  expect(late.bans.isBanned("1.2.3.4")).toBe(false);
  await strike(late.bans, "1.2.3.4", 1);
  expect(late.bans.isBanned("1.2.3.4")).toBe(true);
  time.now += MINUTE;
  await strike(late.bans, "1.2.3.4", 4);
  expect(late.made).toMatchObject([{ step: 2, durationMs: 10 * MINUTE }]);
});

test("a store that is gone keeps nobody from being banned here", async () => {
  const gone = async (): Promise<never> => Promise.reject(new Error("gone"));
  const state = { get: gone, set: gone, publish: gone, delete: gone } as unknown as StateStore;
  const lines: string[] = [];
  const write = (_facts: unknown, message: string): void => void lines.push(message);
  const { bans } = ladder({ state, log: { info: write, warn: write, error: write } });
  await strike(bans, "1.2.3.4", 4);
  expect(bans.isBanned("1.2.3.4")).toBe(true);
  expect(lines).toContain("a ban is known to this process alone");
});

test.each<[BanLadderOptions]>([
  [{ steps: [] }],
  [{ steps: ["soon"] }],
  [{ memory: "later" }],
  [{ strikes: { requests: 0, window: "1m" } }],
])("%o is a RangeError", (options) => {
  expect(() => new BanLadder(options)).toThrow(RangeError);
});
