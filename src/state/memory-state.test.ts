import { expect, test } from "vitest";
import { type Log, UnavailableError } from "../core/index.ts";
import { MemoryState } from "./index.ts";

// What holds for every store is in test/contract/state.test.ts; this is about the table and its bound.

function stateOf(maxKeys: number): { state: MemoryState; advance: (ms: number) => void } {
  let now = 0;
  const state = new MemoryState({ clock: { now: () => now }, maxKeys });
  return {
    state,
    advance: (ms) => {
      now += ms;
    },
  };
}

test("what is full refuses every new key, and forgets none", async () => {
  const { state } = stateOf(3);
  await state.set("revoked", "1", "1h");
  await state.increment("failures", { ttl: "1h", atMost: 1 });
  await state.set("old", "a", "1h");
  await expect(state.set("new", "a", "1h")).rejects.toThrow(UnavailableError);
  await expect(state.set("new", "a", "1h", "absent")).rejects.toThrow(UnavailableError);
  await expect(state.increment("new", { ttl: "1h" })).rejects.toThrow(UnavailableError);
  expect(await state.get("new")).toBeUndefined();
  expect(await state.get("revoked")).toBe("1");
  const refused = { value: 1, applied: false };
  expect(await state.increment("failures", { ttl: "1h", atMost: 1 })).toEqual(refused);
});

test("what is full still answers, changes and deletes the keys that stand", async () => {
  const { state } = stateOf(2);
  await state.set("a", "1", "1h");
  await state.set("b", "1", "1h");
  expect(await state.set("a", "2", "1h")).toBe(true);
  expect(await state.swap("a", "2", "3", "1h")).toBe(true);
  expect(await state.increment("b", { ttl: "1h" })).toEqual({ value: 2, applied: true });
  expect(await state.set("c", "1", "1h", "present")).toBe(false);
  expect(await state.swap("c", "1", "2", "1h")).toBe(false);
  expect(await state.take("a")).toBe("3");
  expect(await state.set("c", "1", "1h")).toBe(true);
  await state.delete("b");
  expect(await state.set("d", "1", "1h")).toBe(true);
});

test("room comes from what has expired, which is swept at most once a second", async () => {
  const { state, advance } = stateOf(2);
  await state.set("short", "a", "100ms");
  await state.set("long", "a", "1h");
  await expect(state.set("new", "a", "1h")).rejects.toThrow(UnavailableError);
  advance(100);
  await expect(state.set("new", "a", "1h")).rejects.toThrow(UnavailableError);
  advance(900);
  expect(await state.set("new", "a", "1h")).toBe(true);
  expect(await state.get("long")).toBe("a");
  expect(state.size).toBe(2);
});

test("a flood of 200,000 keys leaves 100,000, and the first of them", async () => {
  const state = new MemoryState();
  await state.set("first", "a", "1h");
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200_000 }, (_, index) => state.set(`${index}`, "a", "1h")),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(99_999);
  expect(state.size).toBe(100_000);
  expect(await state.get("first")).toBe("a");
});

test("a message is not heard in the middle of what its sender does", async () => {
  const state = new MemoryState();
  const order: string[] = [];
  await state.subscribe("channel", () => order.push("heard"));
  const published = state.publish("channel", "a");
  order.push("sent");
  await published;
  expect(order).toEqual(["sent", "heard"]);
});

test("a listener that throws is logged", async () => {
  const lines: string[] = [];
  const write = (_facts: unknown, message: string): void => void lines.push(message);
  const log: Log = { info: write, warn: write, error: write };
  const state = new MemoryState({ log });
  await state.subscribe("channel", () => {
    throw new Error("a listener of the test");
  });
  await state.publish("channel", "a");
  expect(lines).toEqual(["a listener of the state failed"]);
});

test.each([0, -1, 1.5, Number.NaN])("maxKeys of %d is a RangeError", (maxKeys) => {
  expect(() => new MemoryState({ maxKeys })).toThrow(RangeError);
});
