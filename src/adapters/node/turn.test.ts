import { expect, test } from "vitest";
import { Turn } from "./turn.ts";

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what comes up in a turn is done at its end, in order", async () => {
  const done: number[] = [];
  const turn = new Turn<number>((item) => done.push(item));
  for (const item of [1, 2, 3]) turn.add(item);
  await Promise.resolve().then(() => turn.add(4));
  expect(done).toEqual([]);
  await endOfTurn();
  expect(done).toEqual([1, 2, 3, 4]);
});

test("the sixteenth waits for nobody, and leaves none behind", async () => {
  const done: number[] = [];
  const turn = new Turn<number>((item) => done.push(item));
  for (let item = 1; item <= 17; item += 1) turn.add(item);
  expect(done).toHaveLength(16);
  await endOfTurn();
  expect(done).toHaveLength(17);
});

test("what is added by what is done waits for the next turn", async () => {
  const done: number[] = [];
  const turn = new Turn<number>((item) => {
    done.push(item);
    if (item < 3) turn.add(item + 1);
  });
  turn.add(1);
  await endOfTurn();
  expect(done).toEqual([1]);
  await endOfTurn();
  await endOfTurn();
  expect(done).toEqual([1, 2, 3]);
});
