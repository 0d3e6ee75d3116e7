import { afterEach, describe, expect, test, vi } from "vitest";
import { LoadMonitor } from "./load-monitor.ts";

const changes: [isShedding: boolean, delayMs: number][] = [];
const monitor = (): LoadMonitor => {
  changes.length = 0;
  return new LoadMonitor({
    thresholdMs: 1_000,
    onChange: (...change) => void changes.push(change),
  });
};

/** Readings of a loop whose turns take that long; returns after how many it began to shed. */
function turnsUntilShed(load: LoadMonitor, turnMs: number, most: number): number {
  for (let turn = 1; turn <= most; turn += 1) {
    load.observe(turnMs - 100, turnMs);
    if (load.isShedding) return turn;
  }
  return Number.POSITIVE_INFINITY;
}

describe("a loop", () => {
  test.each<[turnMs: number, from: number, to: number]>([
    [100, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [900, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [1_300, 2, 8],
    [2_000, 2, 3],
    [5_000, 2, 2],
  ])("whose turns take %d ms sheds within so many of them", (turnMs, from, to) => {
    const turns = turnsUntilShed(monitor(), turnMs, 200);
    expect(turns).toBeGreaterThanOrEqual(from);
    expect(turns).toBeLessThanOrEqual(to);
  });

  test.each([3_000, 60_000, 86_400_000])("that stalled once for %d ms does not shed", (stallMs) => {
    const load = monitor();
    load.observe(stallMs, stallMs);
    expect(load.isShedding).toBe(false);
    for (let turn = 0; turn < 50; turn += 1) load.observe(0, 100);
    load.observe(stallMs, stallMs);
    expect(load.isShedding).toBe(false);
    expect(changes).toEqual([]);
  });

  test("that blocks again and again, with pauses between, sheds", () => {
    const load = monitor();
    for (let round = 0; round < 20 && !load.isShedding; round += 1) {
      load.observe(1_700, 1_800);
      load.observe(0, 100);
    }
    expect(load.isShedding).toBe(true);
  });
});

test("it serves again below half of the threshold, and tells each change once", () => {
  const load = monitor();
  expect(turnsUntilShed(load, 3_000, 10)).toBeLessThan(10);
  let turns = 0;
  while (load.isShedding && turns < 1_000) {
    turns += 1;
    load.observe(0, 100);
    if (load.isShedding) expect(load.delayMs).toBeGreaterThanOrEqual(500);
  }
  expect(load.delayMs).toBeLessThan(500);
  expect(turns).toBeGreaterThan(5);
  expect(turns).toBeLessThan(60);
  expect(changes.map(([isShedding]) => isShedding)).toEqual([true, false]);
});

test("a clock that steps back, or a timer that is early, counts as nothing", () => {
  const load = monitor();
  load.observe(-5_000, 0);
  expect(load.delayMs).toBe(0);
});

describe("readings", () => {
  afterEach(() => vi.useRealTimers());

  test("come from a timer that begins once and ends", () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    const load = monitor();
    load.start();
    load.start();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(load.delayMs).toBe(0);
    load.observe(3_000, 3_000);
    load.observe(3_000, 3_000);
    expect(load.isShedding).toBe(true);
    load.stop();
    expect(load.isShedding).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});
