import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ErrorCode } from "./error-codes.ts";
import { BaseAPIError } from "./errors.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel, type Stage } from "./kernel.ts";
import type { LimitRequest } from "./ports.ts";
import type { Principal } from "./principal.ts";
import { wrapper } from "./stage.ts";
import type { Schema } from "./validate.ts";

const user: Principal = {
  kind: "user",
  userId: "u1",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles: [],
};
/** A handler class on a kernel that is bare but for what a test says. */
const handlersOn = (kernel: Partial<Kernel>): typeof BaseAPIHandler =>
  class extends BaseAPIHandler {
    static override readonly kernel = { ...bareKernel, ...kernel };
  };

const get = (init: RequestInit = {}): Request => new Request("http://h/x", init);

describe("the request's way", () => {
  const WAY = [
    "prepare",
    "host",
    "limit address",
    "edge",
    "authenticate",
    "admission",
    "limit POST /x 5/1m",
    "limit stage",
    "csrf stage",
    "authorize stage",
    "query",
    "body",
    "handler",
  ];

  /** One route that has everything; `until` is the step that refuses. */
  async function walk(until: string | undefined, later: boolean): Promise<readonly string[]> {
    const seen: string[] = [];
    const at = <T>(step: string, good: T): T => {
      seen.push(step);
      if (step === until) throw new BaseAPIError("CONFLICT", step);
      return good;
    };
    const check = (step: string) => (): "pass" | Promise<"pass"> =>
      later ? Promise.resolve().then(() => at(step, "pass")) : at(step, "pass");
    const stage = (name: string, phase: Stage["phase"]): Stage => ({
      phase,
      policy: { name, options: undefined },
      bind: () => check(name),
    });
    const schema = (step: string): Schema => ({
      "~standard": { version: 1, vendor: "t", validate: () => at(step, { value: 1 }) },
    });
    const decide = (requests: readonly LimitRequest[]) =>
      at(`limit ${requests[0]?.policy.name}`, {
        allowed: true,
        retryAfterMs: 0,
        states: [],
        violated: [],
      });
    const handlers = handlersOn({
      prepare: () => at("prepare", undefined),
      isHostAllowed: () => at("host", true),
      edge: [stage("edge", "limit")],
      admission: [stage("admission", "limit")],
      namedLimits: { address: { name: "address", requests: 1, windowMs: 1 } },
      limiter: { decide },
      authenticate: () => at("authenticate", { isAuthenticated: true, principal: user }),
    });
    // The wrappers stand in the wrong order on purpose: the phase decides, not the place.
    const wrapped = wrapper(stage("authorize stage", "authorize"))(
      wrapper(stage("csrf stage", "csrf"))(
        wrapper(stage("limit stage", "limit"))(() => at("handler", 1)),
      ),
    );
    const route = handlers.POST(wrapped, {
      path: "/x",
      requireAuth: true,
      rateLimit: { requests: 5, window: "1m" },
      query: schema("query"),
      body: schema("body"),
    });
    const { status } = await route(get({ method: "POST" }));
    expect(status).toBe(until === undefined ? 200 : 409);
    return seen;
  }

  test.each([false, true])(
    "goes through every phase in its order, stages later: %s",
    async (later) => {
      expect(await walk(undefined, later)).toEqual(WAY);
    },
  );

  test.each(WAY)("ends at %s where that refuses", async (step) => {
    const passed = WAY.slice(0, WAY.indexOf(step) + 1);
    expect(await walk(step, false)).toEqual(passed);
    expect(await walk(step, true)).toEqual(passed);
  });
});

describe("before anybody is asked", () => {
  const open = { path: "/x", requireAuth: false } as const;

  test.each<[what: string, request: Request, status: number, code: ErrorCode]>([
    ["a URL that is too long", new Request(`http://h/x?${"a".repeat(60)}`), 414, "URI_TOO_LONG"],
    ["another host", get({ headers: { host: "evil.example" } }), 421, "MISDIRECTED_REQUEST"],
    ["another method", get({ method: "DELETE" }), 405, "METHOD_NOT_ALLOWED"],
    ["another path", new Request("http://h/y"), 404, "NOT_FOUND"],
    ["another spelling of the path", new Request("http://h//x"), 404, "NOT_FOUND"],
    ["a broken encoding", new Request("http://h/%zz"), 400, "INVALID_REQUEST"],
    [
      "an answer that nobody takes",
      get({ headers: { accept: "text/html" } }),
      406,
      "NOT_ACCEPTABLE",
    ],
    [
      "a GET that says it is huge",
      get({ headers: { "content-length": "99999999" } }),
      413,
      "PAYLOAD_TOO_LARGE",
    ],
    [
      "a GET of a malformed length",
      get({ headers: { "content-length": "x" } }),
      400,
      "INVALID_REQUEST",
    ],
  ])("%s is refused", async (_what, request, status, code) => {
    const handlers = handlersOn({ maxUrlLength: 50, isHostAllowed: (host) => host === "h" });
    const response = await handlers.GET(() => 1, open)(request);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, statusCode: status });
    if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  test("insecureAnyHost answers under any", async () => {
    const handlers = handlersOn({ isHostAllowed: () => false });
    const policy = { ...open, insecureAnyHost: true };
    expect((await handlers.GET(() => 1, policy)(get())).status).toBe(200);
    expect((await handlers.GET(() => 1, open)(get())).status).toBe(421);
  });

  test("a body that is not valid never reaches the handler", async () => {
    let ran = false;
    const route = BaseAPIHandler.POST(
      () => {
        ran = true;
      },
      { ...open, body: z.strictObject({ a: z.number() }) },
    );
    const headers = { "content-type": "application/json" };
    const response = await route(get({ method: "POST", headers, body: '{"a":"1"}' }));
    expect(await response.json()).toMatchObject({
      code: "VALIDATION_ERROR",
      details: [{ field: "a" }],
    });
    expect(ran).toBe(false);
  });

  test.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY])(
    "a body limit of %d does not start",
    (maxBodyBytes) => {
      expect(() => handlersOn({ maxBodyBytes }).GET(() => 1, open)).toThrow(TypeError);
    },
  );
});
