import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RequestContext } from "./context.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel, type RefusalReason } from "./kernel.ts";
import { wrapper } from "./stage.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const logged: [level: string, message: string][] = [];
const refused: RefusalReason[] = [];
const kernel: Kernel = {
  ...bareKernel,
  handlerTimeoutMs: 1_000,
  log: {
    info: () => {},
    warn: (_facts: unknown, message?: string) => void logged.push(["warn", message ?? ""]),
    error: (_facts: unknown, message?: string) => void logged.push(["error", message ?? ""]),
  },
  edgeRefused: (reason) => void refused.push(reason),
};
class Handlers extends BaseAPIHandler {
  static override readonly kernel = kernel;
}
beforeEach(() => {
  logged.length = 0;
  refused.length = 0;
});

interface Held<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function held<T = unknown>(): Held<T> {
  let settle: Omit<Held<T>, "promise"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as Omit<Held<T>, "promise">) };
}

const open = { requireAuth: false, path: "/slow" } as const;
const ask = (signal?: AbortSignal): Request =>
  new Request("https://a.example/slow", signal === undefined ? {} : { signal });

describe("a handler that takes too long", () => {
  test("is answered 503 with Retry-After, and its signal aborts", async () => {
    let context: RequestContext | undefined;
    const route = Handlers.GET((given) => {
      context = given;
      return new Promise(() => {});
    }, open);
    const answer = route(ask());
    await vi.advanceTimersByTimeAsync(999);
    expect(context?.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const { status, headers } = await answer;
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
    expect(context?.signal.reason).toMatchObject({ name: "TimeoutError" });
    expect(refused).toEqual(["handler_timeout"]);
    expect(logged).toEqual([["error", "request failed"]]);
  });

  test("finds its signal aborted that it asks for only afterwards", async () => {
    const later = held();
    let signal: AbortSignal | undefined;
    const route = Handlers.GET(async (context) => {
      await later.promise;
      ({ signal } = context);
    }, open);
    const answer = route(ask());
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answer).status).toBe(503);
    later.resolve(undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(signal?.aborted).toBe(true);
  });

  test("may answer as late as it likes: nobody hears it, and a stream of its own is given up", async () => {
    const [late, cancelled] = [held(), held()];
    const body = new ReadableStream({ cancel: () => cancelled.resolve(true) });
    const answer = Handlers.GET(() => late.promise, open)(ask());
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answer).status).toBe(503);
    late.resolve(new Response(body));
    expect(await cancelled.promise).toBe(true);
  });

  test.each<[what: string, error: (signal: AbortSignal) => unknown, warned: boolean]>([
    ["with the reason that it was given is silent", (signal) => signal.reason, false],
    ["otherwise is logged", () => new Error("late"), true],
  ])("and fails %s", async (_what, error, warned) => {
    const late = held();
    let signal: AbortSignal | undefined;
    const route = Handlers.GET((context) => {
      ({ signal } = context);
      return late.promise;
    }, open);
    const answer = route(ask());
    await vi.advanceTimersByTimeAsync(1_000);
    await answer;
    late.reject(error(signal as AbortSignal));
    await vi.advanceTimersByTimeAsync(0);
    expect(logged.some(([level]) => level === "warn")).toBe(warned);
  });
});

test("a stage that takes too long refuses, and the handler does not run", async () => {
  let ran = false;
  const slow = wrapper({
    phase: "authorize",
    policy: { name: "slow", options: undefined },
    bind: () => () => new Promise(() => {}),
  });
  const route = Handlers.GET(
    slow(() => {
      ran = true;
    }),
    open,
  );
  const answer = route(ask());
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).status).toBe(503);
  expect(ran).toBe(false);
});

test("the reading of a body is not the handler's time", async () => {
  const sent = held<Uint8Array>();
  const schema = {
    "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
  } as const;
  const route = Handlers.POST(({ body }) => body, { ...open, body: schema });
  const request = new Request("https://a.example/slow", {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const answer = route(request, { readBody: () => sent.promise });
  await vi.advanceTimersByTimeAsync(60_000);
  sent.resolve(new TextEncoder().encode('{"a":1}'));
  expect((await answer).status).toBe(200);
});

describe("a timer", () => {
  test("is not there for what answers at once", async () => {
    await Handlers.GET(() => 1, open)(ask());
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ["answers", async () => 1, 200],
    ["fails", () => Promise.reject(new Error("x")), 500],
  ])("goes with a handler that %s", async (_what, handler, status) => {
    expect((await Handlers.GET(handler, open)(ask())).status).toBe(status);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the signal", () => {
  test("aborts with that of the request", async () => {
    const client = new AbortController();
    const late = held();
    let signal: AbortSignal | undefined;
    const route = Handlers.GET((context) => {
      ({ signal } = context);
      return late.promise;
    }, open);
    const answer = route(ask(client.signal));
    await vi.advanceTimersByTimeAsync(0);
    expect(signal?.aborted).toBe(false);
    client.abort(new Error("gone"));
    expect(signal?.reason).toMatchObject({ message: "gone" });
    late.resolve(1);
    expect((await answer).status).toBe(200);
  });

  test("is the host's own where it has one", async () => {
    const aborting = new AbortController();
    let signal: AbortSignal | undefined;
    const route = Handlers.GET((context) => {
      ({ signal } = context);
      return new Promise(() => {});
    }, open);
    const answer = route(ask(), { aborting: () => aborting });
    await vi.advanceTimersByTimeAsync(1_000);
    await answer;
    expect(signal).toBe(aborting.signal);
    expect(aborting.signal.aborted).toBe(true);
  });
});

describe("a route's own time", () => {
  test("comes first", async () => {
    const route = Handlers.GET(() => new Promise(() => {}), { ...open, handlerTimeout: "50ms" });
    const answer = route(ask());
    await vi.advanceTimersByTimeAsync(50);
    expect((await answer).status).toBe(503);
  });

  test.each([
    ["soon", 'expected a duration such as "30s", "15m" or "1h", came "soon"'],
    ["25h", 'expected at most "24h", came "25h"'],
  ])("%s is refused as the route is defined", (handlerTimeout, message) => {
    expect(() => Handlers.GET(() => 1, { ...open, handlerTimeout })).toThrow(
      new RangeError(`route GET /slow: handlerTimeout: ${message}`),
    );
  });
});
