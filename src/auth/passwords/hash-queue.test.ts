import { afterEach, describe, expect, test, vi } from "vitest";
import { UnavailableError } from "../../core/index.ts";
import { HashQueue, type HashQueueOptions } from "./hash-queue.ts";

/** A promise, and what resolves it. */
function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

/** A queue, work that waits until it is let go, and what ran at once. */
function queueOf(options: HashQueueOptions) {
  const queue = new HashQueue(options);
  const open: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const work = async (): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => open.push(resolve));
    running -= 1;
    return 7;
  };
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
  };
  return {
    queue,
    work,
    settle,
    most: () => most,
    drain: async (): Promise<void> => {
      await settle();
      while (open.length > 0) {
        open.shift()?.();
        await settle();
      }
    },
  };
}

const outcomes = async (
  asked: readonly Promise<unknown>[],
): Promise<{ done: number; refused: number }> => {
  const results = await Promise.allSettled(asked);
  const refused = results.filter(
    (r) => r.status === "rejected" && r.reason instanceof UnavailableError,
  );
  return { done: results.filter((r) => r.status === "fulfilled").length, refused: refused.length };
};

afterEach(() => vi.unstubAllEnvs());

describe("a burst of 300", () => {
  test("takes the places, runs few at once, and refuses the rest before any work", async () => {
    const { queue, work, drain, most } = queueOf({ concurrency: 2, places: 256 });
    const asked = Array.from({ length: 300 }, () => queue.run(work));
    const settled = outcomes(asked);
    expect(queue.depth).toBe(192);
    await drain();
    expect(await settled).toEqual({ done: 192, refused: 108 });
    expect(most()).toBe(2);
    expect(queue.depth).toBe(0);
  });

  test("of strangers leaves a quarter of the places to known devices", async () => {
    const { queue, work, drain } = queueOf({ concurrency: 2, places: 256 });
    const flood = outcomes(
      Array.from({ length: 300 }, (_, i) => queue.run(work, { address: `10.0.0.${i}` })),
    );
    const known = outcomes(
      Array.from({ length: 100 }, (_, i) =>
        queue.run(work, { address: `10.0.0.${i}`, knownDevice: true }),
      ),
    );
    expect(queue.depth).toBe(256);
    await drain();
    expect(await flood).toEqual({ done: 192, refused: 108 });
    expect(await known).toEqual({ done: 64, refused: 36 });
  });

  test("behind one address leaves its known devices a share there, and no more than that", async () => {
    const { queue, work, drain } = queueOf({ concurrency: 2, places: 256 });
    const flood = outcomes(Array.from({ length: 300 }, () => queue.run(work, "6.6.6.6")));
    const from = { address: "6.6.6.6", knownDevice: true };
    const known = outcomes(Array.from({ length: 100 }, () => queue.run(work, from)));
    expect(queue.depth).toBe(128);
    await drain();
    expect(await flood).toEqual({ done: 64, refused: 236 });
    expect(await known).toEqual({ done: 64, refused: 36 });
  });

  test.each([
    [0, 8],
    [0.5, 4],
    [1, 0],
  ])("with a share of %d for known devices takes %i strangers", async (share, taken) => {
    const { queue, work, drain } = queueOf({ places: 8, knownDeviceShare: share });
    const strangers = outcomes(Array.from({ length: 20 }, () => queue.run(work)));
    expect(queue.depth).toBe(taken);
    await drain();
    expect(await strangers).toEqual({ done: taken, refused: 20 - taken });
  });

  test("of one address takes a quarter of the places, and leaves the others theirs", async () => {
    const { queue, work, drain } = queueOf({ concurrency: 2, places: 256 });
    const flood = outcomes(Array.from({ length: 300 }, () => queue.run(work, "6.6.6.6")));
    expect(queue.depth).toBe(64);
    const others = outcomes(Array.from({ length: 100 }, (_, i) => queue.run(work, `10.0.0.${i}`)));
    await drain();
    expect(await flood).toEqual({ done: 64, refused: 236 });
    expect(await others).toEqual({ done: 100, refused: 0 });
  });
});

test("a refusal is a 503 that says when to come back", async () => {
  const { queue, work, drain } = queueOf({ concurrency: 1, places: 1 });
  const first = queue.run(work);
  const refusal = { code: "SERVICE_UNAVAILABLE", statusCode: 503, headers: { "retry-after": "2" } };
  await expect(queue.run(work)).rejects.toMatchObject(refusal);
  await drain();
  expect(await first).toBe(7);
});

describe("places are released", () => {
  const fails: readonly [what: string, work: () => Promise<never>][] = [
    ["rejects", () => Promise.reject(new Error("x"))],
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
  ];

  test.each(fails)("when work %s", async (_what, bad) => {
    const { queue, work, drain } = queueOf({ concurrency: 1, places: 4, addressShare: 1 });
    for (let i = 0; i < 20; i += 1) await expect(queue.run(bad, "a")).rejects.toThrow("x");
    expect(queue.depth).toBe(0);
    const good = queue.run(work, "a");
    await drain();
    expect(await good).toBe(7);
  });

  test.each(fails)("to those who wait, when work %s", async (_what, bad) => {
    const { queue, work, drain } = queueOf({ concurrency: 1, places: 9 });
    const first = queue.run(work);
    const second = outcomes([queue.run(bad)]);
    const third = queue.run(work);
    await drain();
    expect(await Promise.all([first, third])).toEqual([7, 7]);
    expect(await second).toEqual({ done: 0, refused: 0 });
  });

  test("to the address, so that it may come again", async () => {
    const { queue, work, drain } = queueOf({ concurrency: 4, places: 4 });
    for (let i = 0; i < 10; i += 1) {
      const one = queue.run(work, "a");
      await expect(queue.run(work, "a")).rejects.toThrow(UnavailableError);
      await drain();
      expect(await one).toBe(7);
    }
  });
});

test("who waits comes before who asks in the moment that a place is free, and no more run at once", async () => {
  const queue = new HashQueue({ concurrency: 1, places: 9 });
  const order: string[] = [];
  let running = 0;
  let most = 0;
  const work = (name: string) => async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  const { promise, resolve } = gate();
  const first = queue.run(() => promise);
  const waiting = queue.run(work("waiting"));
  const late = promise.then(() => queue.run(work("late")));
  resolve();
  await Promise.all([first, waiting, late]);
  expect(order).toEqual(["waiting", "late"]);
  expect(most).toBe(1);
});

test.each([
  [undefined, 2],
  ["8", 6],
  ["2", 1],
  ["1", 1],
  ["x", 2],
])("UV_THREADPOOL_SIZE=%s runs %i at once", async (size, concurrency) => {
  vi.stubEnv("UV_THREADPOOL_SIZE", size);
  const { queue, work, drain, most } = queueOf({});
  const asked = outcomes(Array.from({ length: 20 }, () => queue.run(work)));
  await drain();
  expect(await asked).toEqual({ done: 20, refused: 0 });
  expect(most()).toBe(concurrency);
});
