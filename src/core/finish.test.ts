import { describe, expect, test } from "vitest";
import type { RequestContext } from "./context.ts";
import { BaseAPIError, ConflictError, ForbiddenError, UnauthorizedError } from "./errors.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel } from "./kernel.ts";
import type { EventContext, SecurityEvent } from "./ports.ts";
import { ResponseBuilder } from "./response-builder.ts";

interface Asked {
  readonly kernel?: Partial<Kernel>;
  readonly method?: "GET" | "HEAD";
  readonly path?: `/${string}`;
  readonly url?: string;
}

interface Line {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Answers one request by a handler, on a kernel that keeps what it logs and records. */
async function answerOf(
  handler: (context: RequestContext) => unknown,
  { kernel = {}, method = "GET", path = "/x", url = "http://h/x" }: Asked = {},
): Promise<{
  response: Response;
  text: string;
  lines: Line[];
  events: [SecurityEvent, EventContext][];
}> {
  const lines: Line[] = [];
  const events: [SecurityEvent, EventContext][] = [];
  const keep = (facts: Line["facts"], message: string): void => {
    lines.push({ facts, message });
  };
  class Handlers extends BaseAPIHandler {
    static override readonly kernel: Kernel = {
      ...bareKernel,
      clock: { now: () => 0 },
      log: { info: keep, warn: keep, error: keep },
      responseHeaders: { "x-standing": "yes", "cache-control": "no-store" },
      audit: {
        record: async (event, context) => {
          events.push([event, context]);
        },
      },
      ...kernel,
    };
  }
  const route = Handlers.GET(handler, { path, requireAuth: false });
  const headers = { "x-request-id": "req-12345678" };
  const response = await route(new Request(url, { method, headers }));
  return { response, text: await response.text(), lines, events };
}

const throws = (thrown: unknown) => (): never => {
  throw thrown;
};

const disturbed = async (): Promise<Response> => {
  const response = new Response("once");
  await response.text();
  return response;
};

const circle: { self?: unknown } = {};
circle.self = circle;

test.each<[what: string, handler: (context: RequestContext) => unknown, status: number]>([
  ["a value", () => 1, 200],
  ["a created one", () => ResponseBuilder.created(1), 201],
  ["a refusal thrown", throws(new ConflictError()), 409],
  ["a refusal thrown, later", async () => throws(new ConflictError())(), 409],
  ["a refusal returned", () => new ConflictError(), 409],
  ["a refusal built", () => ResponseBuilder.error("NOT_FOUND"), 404],
  ["a fault thrown", throws(new TypeError("x")), 500],
  ["a text thrown", throws("x"), 500],
  ["a text thrown, later", async () => throws("x")(), 500],
  ["nothing thrown", throws(undefined), 500],
  ["null thrown", throws(null), 500],
  ["an error returned", () => new Error("x"), 500],
  ["a value that has no JSON", () => 1n, 500],
  ["a circle, later", async () => circle, 500],
  ["a raw response", () => new Response("hi", { status: 418 }), 418],
  ["a redirect", () => Response.redirect("http://h/y"), 302],
  ["a response without a body", async () => new Response(null, { status: 204 }), 204],
  ["a response that was read", disturbed, 500],
  ["an error response", () => Response.error(), 500],
  ["an error response, later", async () => Response.error(), 500],
  ["a header that is none", (context) => context.header("x y", "1"), 500],
  ["a header of two lines", (context) => context.header("x-a", "1\r\nx-b: 2"), 500],
  ["a header beyond Latin-1", async (context) => context.header("x-a", "\u65e5"), 500],
  ["a header with a control", (context) => context.header("x-a", "\u0001"), 500],
])("%s has every header", async (_what, handler, status) => {
  const { response } = await answerOf(handler);
  expect(response.status).toBe(status);
  expect(response.headers.get("x-standing")).toBe("yes");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("x-request-id")).toBe("req-12345678");
  expect(response.headers.has("x-b")).toBe(false);
});

describe("a fault", () => {
  test("hides its cause, and logs it with the request's id", async () => {
    const cause = new RangeError("SELECT hunter2");
    const { text, lines } = await answerOf(throws(cause));
    expect(text).not.toMatch(/hunter2|RangeError|finish/);
    expect(lines).toEqual([
      {
        message: "request failed",
        facts: {
          requestId: "req-12345678",
          route: "/x",
          code: "INTERNAL_ERROR",
          err: expect.objectContaining({ cause }),
        },
      },
    ]);
  });

  test("that is no error is kept as one's cause", async () => {
    const { lines } = await answerOf(throws("hunter2"));
    const error = lines[0]?.facts["err"] as Error;
    expect((error.cause as Error).cause).toBe("hunter2");
  });

  test("is no line where it is a refusal", async () => {
    expect((await answerOf(throws(new ConflictError()))).lines).toEqual([]);
  });
});

describe("a denial", () => {
  test.each<[code: string, error: BaseAPIError<string>, recorded: boolean]>([
    ["UNAUTHORIZED", new UnauthorizedError(), true],
    ["TOKEN_EXPIRED", new UnauthorizedError("m", { code: "TOKEN_EXPIRED" }), true],
    [
      "REAUTHENTICATION_REQUIRED",
      new UnauthorizedError("m", { code: "REAUTHENTICATION_REQUIRED" }),
      true,
    ],
    ["FORBIDDEN", new ForbiddenError(), true],
    ["MFA_REQUIRED", new ForbiddenError("m", { code: "MFA_REQUIRED" }), true],
    ["CSRF_REJECTED", new ForbiddenError("m", { code: "CSRF_REJECTED" }), true],
    ["INVALID_CREDENTIALS", new UnauthorizedError("m", { code: "INVALID_CREDENTIALS" }), false],
    ["NOT_FOUND", new BaseAPIError("NOT_FOUND", "m"), false],
    ["INTERNAL_ERROR", new BaseAPIError("INTERNAL_ERROR", "m"), false],
  ])("%s is recorded: %s", async (code, error, recorded) => {
    const { events } = await answerOf(throws(error));
    const types = events.map(([event]) => [event.type, event.metadata?.["code"]]);
    expect(types).toEqual(recorded ? [["access.denied", code]] : []);
  });

  test("says what, where and who; a parameter cannot overwrite the facts", async () => {
    const asked = { path: "/:code/:id", url: "http://h/FORGED/7" } as const;
    const { events } = await answerOf(throws(new ForbiddenError()), asked);
    expect(events[0]?.[0]).toEqual({
      type: "access.denied",
      severity: "medium",
      result: "blocked",
      resource: "/:code/:id",
      action: "GET",
      metadata: { id: "7", code: "FORBIDDEN", status: 403 },
    });
    expect(events[0]?.[1]).toMatchObject({ requestId: "req-12345678" });
  });

  test("is answered once it is recorded", async () => {
    const order: string[] = [];
    const record = async (): Promise<void> => {
      await Promise.resolve();
      order.push("recorded");
    };
    await answerOf(throws(new ForbiddenError()), { kernel: { audit: { record } } });
    order.push("answered");
    expect(order).toEqual(["recorded", "answered"]);
  });

  test("refuses all the same where it cannot be recorded, and says so in the log", async () => {
    const cause = new Error("disk full");
    const record = (): Promise<never> => Promise.reject(cause);
    const kernel = { audit: { record } };
    const { response, lines } = await answerOf(throws(new ForbiddenError()), { kernel });
    expect(response.status).toBe(403);
    expect(lines).toEqual([
      {
        message: "a denied access could not be recorded",
        facts: { requestId: "req-12345678", err: cause },
      },
    ]);
  });
});

describe("headers of a handler", () => {
  test("join the one response, a refusal's too", async () => {
    const { response } = await answerOf((context) => {
      context.header("X-Own", "a");
      context.header("x-own", "b");
      context.header("Set-Cookie", "a=1");
      context.header("set-cookie", "b=2");
      throw new ConflictError("m", { headers: { "x-why": "state" } });
    });
    expect(response.headers.get("x-own")).toBe("b");
    expect(response.headers.get("x-why")).toBe("state");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  test("a raw response keeps its own, all its cookies, and gets the rest", async () => {
    const { response, text } = await answerOf((context) => {
      context.header("set-cookie", "c=3");
      context.header("x-own", "context");
      const raw = new Response("<p>", {
        status: 203,
        statusText: "Mine",
        headers: {
          "content-type": "text/html",
          "cache-control": "private",
          "x-request-id": "forged",
        },
      });
      raw.headers.append("set-cookie", "a=1, x; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
      raw.headers.append("set-cookie", "b=2");
      return raw;
    });
    expect(text).toBe("<p>");
    expect([response.status, response.statusText]).toEqual([203, "Mine"]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html",
      "cache-control": "private",
      "x-standing": "yes",
      "x-own": "context",
      "x-request-id": "req-12345678",
    });
    expect(response.headers.getSetCookie()).toEqual([
      "a=1, x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "b=2",
      "c=3",
    ]);
  });
});

describe("HEAD", () => {
  test.each<[what: string, handler: () => unknown, status: number]>([
    ["a value", () => ({ text: "\u00e9" }), 200],
    ["a refusal", throws(new ConflictError()), 409],
  ])("%s has the length of GET's body, and no body", async (_what, handler, status) => {
    const got = await answerOf(handler);
    const { response, text } = await answerOf(handler, { method: "HEAD" });
    expect(response.status).toBe(status);
    expect(text).toBe("");
    const length = new TextEncoder().encode(got.text).byteLength;
    expect(response.headers.get("content-length")).toBe(String(length));
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  });

  test("a raw response has no body either", async () => {
    const { response, text } = await answerOf(() => new Response("body"), { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.body).toBeNull();
    expect(text).toBe("");
  });
});

test("what is measured is the status and the time, of every answer", async () => {
  const told: [string, string, number, boolean][] = [];
  const meter = (method: string, path: string) => (status: number, seconds: number) => {
    told.push([method, path, status, seconds >= 0]);
  };
  await answerOf(() => 1, { kernel: { meter } });
  await answerOf(async () => throws(new Error("x"))(), { kernel: { meter } });
  expect(told).toEqual([
    ["GET", "/x", 200, true],
    ["GET", "/x", 500, true],
  ]);
});
