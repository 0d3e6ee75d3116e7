import { describe, expect, test } from "vitest";
import { RefusalDeadline } from "./index.ts";

/** A deadline whose clock stands still, and the delays that it asked for. */
function still(now: number, factor?: number) {
  const delays: number[] = [];
  const delay = async (ms: number): Promise<void> => {
    delays.push(ms);
  };
  return { deadline: new RefusalDeadline({ now: () => now, delay, factor }), delays };
}

describe("the deadline lies at twice the slowest verifications of late", () => {
  test.each<[what: string, took: readonly [recipe: string, ms: number][], deadline: number]>([
    ["nothing measured", [], 0],
    ["one", [["argon2", 20]], 40],
    [
      "the slower of two, whichever came last",
      [
        ["bcrypt", 200],
        ["argon2", 20],
      ],
      400,
    ],
    [
      "one outlier in thirty-two does not move it",
      [...Array.from({ length: 31 }, (): [string, number] => ["argon2", 20]), ["argon2", 5_000]],
      40,
    ],
    [
      "what a loaded machine took is forgotten",
      [
        ...Array.from({ length: 32 }, (): [string, number] => ["argon2", 500]),
        ...Array.from({ length: 32 }, (): [string, number] => ["argon2", 20]),
      ],
      40,
    ],
  ])("%s", (_what, took, expected) => {
    const { deadline } = still(0);
    for (const [recipe, ms] of took) deadline.observe(recipe, ms);
    expect(deadline.milliseconds).toBe(expected);
  });

  test("and memory is bounded: the recipe not seen for the longest time goes", () => {
    const { deadline } = still(0);
    deadline.observe("first", 1_000);
    for (let i = 0; i < 15; i += 1) deadline.observe(`r${i}`, 1);
    expect(deadline.slowest()).toBe("first");
    deadline.observe("r0", 1);
    deadline.observe("one more", 1);
    expect(deadline.isMeasured("first")).toBe(false);
    expect(deadline.isMeasured("r0")).toBe(true);
  });
});

test.each<[elapsed: number, waits: number[]]>([
  [0, [40]],
  [15, [25]],
  [40, []],
  [900, []],
])("a refusal that is ready after %i ms waits for what is left", async (elapsed, waits) => {
  const { deadline, delays } = still(1_000 + elapsed);
  deadline.observe("argon2", 20);
  await deadline.wait(1_000);
  expect(delays).toEqual(waits);
});

test("the factor is an option", () => {
  const { deadline } = still(0, 1.5);
  deadline.observe("argon2", 20);
  expect(deadline.milliseconds).toBe(30);
});
