import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./key-table.ts";

const momentOf = (table: KeyTable, place: number): number | undefined =>
  place < 0 ? undefined : table.moments[(place >> 1) + 1];

/** The table beside a Map that forgets nothing: what was put in, and is not over, is found with its moment. */
function both(maxKeys: number) {
  const table = new KeyTable(maxKeys);
  const model = new Map<string, number>();
  const put = (low: number, high: number, moment: number, now: number): void => {
    let place = table.find(low, high);
    if (place < 0) place = table.insert(low, high, now);
    if (place < 0) return;
    table.moments[(place >> 1) + 1] = moment;
    model.set(`${low} ${high}`, moment);
  };
  return { table, model, put };
}

// Few homes for many keys, so that chains are long and wrap around the end.
const key = fc.tuple(fc.integer({ min: -3, max: 20 }), fc.integer({ min: 1, max: 3 }));

test("nothing that is not over is ever lost, whatever is put in, taken out and swept", () => {
  const step = fc.tuple(key, fc.nat(50), fc.nat(10), fc.boolean());
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 12 }),
      (steps, max) => {
        const { table, model, put } = both(max);
        let now = 0;
        for (const [[low, high], life, wait, remove] of steps) {
          now += wait;
          const place = table.find(low, high);
          if (remove && place >= 0) {
            table.removeAt(place);
            model.delete(`${low} ${high}`);
          } else put(low, high, now + life, now);
          for (const [name, moment] of model) {
            const [l = 0, h = 0] = name.split(" ").map(Number);
            if (moment > now) expect(momentOf(table, table.find(l, h))).toBe(moment);
          }
          expect(table.size).toBeLessThanOrEqual(max);
        }
      },
    ),
  );
});

test("it grows, and keeps every entry", () => {
  const { table, model, put } = both(5_000);
  for (let i = 0; i < 5_000; i += 1) put(Math.imul(i, 0x9e3779b1), (i % 7) + 1, i + 1, 0);
  expect(table.size).toBe(5_000);
  expect(table.bytes).toBe(8_192 * 16);
  for (const [name, moment] of model) {
    const [low = 0, high = 0] = name.split(" ").map(Number);
    expect(momentOf(table, table.find(low, high))).toBe(moment);
  }
  expect(table.insert(1, 99, 0)).toBe(-1);
});

test.each([
  [1_000, 64],
  [100_000, 64],
  [150_000, 64],
])("a full table of %i keys takes at most %i bytes a key, numbers included", (maxKeys, most) => {
  const table = new KeyTable(maxKeys, "two");
  for (let i = 1; i <= maxKeys; i += 1) {
    const place = table.insert(Math.imul(i, 0x9e3779b1), i, 0);
    table.moments[(place >> 1) + 1] = 1;
  }
  expect(table.size).toBe(maxKeys);
  expect(table.bytes / maxKeys).toBeLessThanOrEqual(most);
});

test("what is over makes room without the table growing", () => {
  const { table, put } = both(100_000);
  for (let i = 1; i < 50_000; i += 1) put(Math.imul(i, 0x9e3779b1), i, i + 10, i);
  expect(table.bytes).toBe(1_024 * 16);
});

test("the two numbers of an entry stand beside its moment and move with it", () => {
  const table = new KeyTable(3_000, "two");
  for (let i = 1; i <= 3_000; i += 1) {
    const place = table.insert(i & 15, i, 0);
    table.moments[(place >> 1) + 1] = 1;
    table.words.set([i, -i], place + 4);
  }
  for (let i = 1; i <= 3_000; i += 2) table.removeAt(table.find(i & 15, i));
  for (let i = 2; i <= 3_000; i += 2) {
    const place = table.find(i & 15, i);
    expect([...table.words.subarray(place + 4, place + 6)]).toEqual([i, -i]);
  }
});
