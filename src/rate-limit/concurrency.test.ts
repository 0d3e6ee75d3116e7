import { expect, test } from "vitest";
import { BaseAPIHandler, bareKernel } from "../core/index.ts";
import { MemoryConcurrency, withConcurrencyLimit } from "./concurrency.ts";
import { RateLimiter, withRateLimit } from "./index.ts";

const TWO = { name: "work", places: 2 };

function memoryAt() {
  let now = 0;
  const limiter = new MemoryConcurrency({ clock: { now: () => now } });
  return {
    limiter,
    advance: (milliseconds: number): void => {
      now += milliseconds;
    },
  };
}

test("gives out its places, each key for itself, and again what is given back", () => {
  const { limiter } = memoryAt();
  const [one, other] = [limiter.acquire("a", TWO), limiter.acquire("a", TWO)];
  expect([one, other, limiter.acquire("b", TWO)]).not.toContain(undefined);
  expect(limiter.acquire("a", TWO)).toBeUndefined();
  void one?.release();
  void one?.release();
  expect(limiter.acquire("a", TWO)).toBeDefined();
  expect(limiter.acquire("a", TWO)).toBeUndefined();
});

test("a place that nobody gives back is free when its lease is over", () => {
  const { limiter, advance } = memoryAt();
  const lost = limiter.acquire("a", { ...TWO, lease: "10s" });
  limiter.acquire("a", { ...TWO, lease: "10s" });
  advance(9_999);
  expect(limiter.acquire("a", TWO)).toBeUndefined();
  advance(1);
  expect([limiter.acquire("a", TWO), limiter.acquire("a", TWO)]).not.toContain(undefined);
  // Given back late, it takes nobody's place away.
  void lost?.release();
  expect(limiter.acquire("a", TWO)).toBeUndefined();
});

test("nothing is kept of a key whose places are all given back", () => {
  const { limiter } = memoryAt();
  for (let i = 0; i < 1_000; i += 1) void limiter.acquire(`key ${i}`, TWO)?.release();
  expect(limiter.size).toBe(0);
});

test.each([
  { name: "x", places: 0 },
  { name: "x", places: 1.5 },
  { name: "x", places: 1, lease: "soon" },
])("%o is a RangeError", (options) => {
  expect(() => memoryAt().limiter.acquire("a", options)).toThrow(RangeError);
  expect(() => withConcurrencyLimit(memoryAt().limiter, options)).toThrow(RangeError);
});

/** A route whose handler ends when the test says so. */
function route(places: number) {
  const { limiter } = memoryAt();
  const running: { end: (value: number) => void; fail: (error: Error) => void }[] = [];
  const handler = withConcurrencyLimit(limiter, { name: "exports", places })(
    () => new Promise<number>((end, fail) => void running.push({ end, fail })),
  );
  const ask = BaseAPIHandler.GET(handler, { path: "/x", requireAuth: false });
  const from = (peer: string): Promise<Response> => ask(new Request("http://h/x"), { peer });
  return { from, running, limiter };
}

test("of 200 at once two run, and the others are told to come again", async () => {
  const { from, running } = route(2);
  const asked = Array.from({ length: 200 }, () => from("1.1.1.1"));
  await expect.poll(() => running.length).toBe(2);
  for (const { end } of running) end(1);
  const answers = await Promise.all(asked);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(198);
  expect(refused[0]?.headers.get("retry-after")).toBe("1");
  expect(await refused[0]?.json()).toMatchObject({ "violated-policies": ["exports"] });
});

test("a handler that fails gives its place back", async () => {
  const { from, running, limiter } = route(1);
  const failed = from("1.1.1.1");
  await expect.poll(() => running.length).toBe(1);
  running[0]?.fail(new Error("x"));
  expect((await failed).status).toBe(500);
  expect(limiter.size).toBe(0);
});

test("a stage inside of it would not run, and is refused when the route is made", () => {
  const inner = withRateLimit({ requests: 1, window: "1m" })(() => 1);
  const limit = withConcurrencyLimit(memoryAt().limiter, TWO);
  expect(() => limit(inner)).toThrow("work: expected a handler without stages");
});

test("a stage around it runs", async () => {
  class Handlers extends BaseAPIHandler {
    static override readonly kernel = { ...bareKernel, limiter: new RateLimiter() };
  }
  const handler = withRateLimit({ requests: 1, window: "1h" })(
    withConcurrencyLimit(memoryAt().limiter, TWO)(() => 1),
  );
  const ask = Handlers.GET(handler, { path: "/x", requireAuth: false });
  const statuses = [];
  for (let i = 0; i < 2; i += 1) {
    statuses.push((await ask(new Request("http://h/x"), { peer: "1.1.1.1" })).status);
  }
  expect(statuses).toEqual([200, 429]);
});
