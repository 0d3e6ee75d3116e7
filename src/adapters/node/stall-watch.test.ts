import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StallWatch } from "./stall-watch.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const stalled: string[] = [];
beforeEach(() => {
  stalled.length = 0;
});

test("whoever is not touched for the whole time has stalled, once; a touch begins it anew", () => {
  let all = 0;
  const watch = new StallWatch(1_000, () => {
    all += 1;
  });
  watch.watch(() => void stalled.push("silent"));
  const touched = watch.watch(() => void stalled.push("touched"));
  for (let round = 0; round < 5; round += 1) {
    vi.advanceTimersByTime(300);
    touched.touch();
  }
  expect(stalled).toEqual(["silent"]);
  vi.advanceTimersByTime(900);
  expect(stalled).toEqual(["silent"]);
  vi.advanceTimersByTime(200);
  expect(stalled).toEqual(["silent", "touched"]);
  vi.advanceTimersByTime(5_000);
  expect(stalled).toEqual(["silent", "touched"]);
  expect(all).toBe(2);
});

test("whoever has ended never stalls", () => {
  const watch = new StallWatch(1_000);
  watch.watch(() => void stalled.push("ended")).end();
  vi.advanceTimersByTime(5_000);
  expect(stalled).toEqual([]);
});

test("whoever is ended by another's stall, or twice, is over, and those around them are not", () => {
  const watch = new StallWatch(1_000);
  const before = watch.watch(() => void stalled.push("before"));
  watch.watch(() => {
    stalled.push("first");
    second.end();
    second.end();
  });
  const second = watch.watch(() => void stalled.push("second"));
  watch.watch(() => void stalled.push("third"));
  before.end();
  before.end();
  vi.advanceTimersByTime(5_000);
  expect(stalled).toEqual(["first", "third"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("one timer serves them all, and stands still while nobody waits", () => {
  const watch = new StallWatch(1_000);
  expect(vi.getTimerCount()).toBe(0);
  const waits = Array.from({ length: 1_000 }, () => watch.watch(() => {}));
  expect(vi.getTimerCount()).toBe(1);
  for (const wait of waits) wait.end();
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  watch.watch(() => void stalled.push("later"));
  vi.advanceTimersByTime(1_100);
  expect(stalled).toEqual(["later"]);
});
