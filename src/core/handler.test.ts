import { describe, expect, test } from "vitest";
import { z } from "zod";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel } from "./kernel.ts";
import type { AuthResult } from "./principal.ts";
import { ResponseBuilder } from "./response-builder.ts";

const open = { path: "/things/:id", requireAuth: false } as const;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;

const signedIn: AuthResult = {
  isAuthenticated: true,
  principal: { kind: "user", userId: "u1", sessionId: "s1", via: "bearer", methods: [], roles: [] },
};

class SignedIn extends BaseAPIHandler {
  static override checkAuth(): AuthResult {
    return signedIn;
  }
}

/** A call without types, as JavaScript makes it. */
type Loose = (handler?: unknown, policy?: unknown) => unknown;

describe.each(METHODS)("%s", (method) => {
  const define = BaseAPIHandler[method].bind(BaseAPIHandler) as unknown as Loose;

  test.each<[what: string, args: [handler?: unknown, policy?: unknown], message: string]>([
    [
      "no policy",
      [function listThings() {}],
      `route ${method} (listThings): policy: expected { path, requireAuth }, came nothing`,
    ],
    [
      "null for a policy",
      [() => 1, null],
      `route ${method}: policy: expected { path, requireAuth }, came null`,
    ],
    [
      "a text for a policy",
      [() => 1, "/x"],
      `route ${method}: policy: expected { path, requireAuth }, came "/x"`,
    ],
    [
      "no path",
      [function listThings() {}, { requireAuth: true }],
      `route ${method} (listThings): path: expected a path, came nothing`,
    ],
    [
      "no requireAuth",
      [() => 1, { path: "/x" }],
      `route ${method} /x: requireAuth: expected true or false, came nothing`,
    ],
    [
      "a text for requireAuth",
      [() => 1, { path: "/x", requireAuth: "false" }],
      `route ${method} /x: requireAuth: expected true or false, came "false"`,
    ],
    [
      "a malformed path",
      [() => 1, { path: "x/", requireAuth: false }],
      `route ${method} x/: path: expected such as "/products/:id", came "x/"`,
    ],
    [
      "no handler",
      ["x", { path: "/x", requireAuth: false }],
      `route ${method} /x: handler: expected a function, came "x"`,
    ],
    [
      "a query that is no schema",
      [() => 1, { path: "/x", requireAuth: false, query: {} }],
      `route ${method} /x: query: expected a Standard Schema, came {}`,
    ],
    [
      "no limiter for a limit",
      [() => 1, { path: "/x", requireAuth: false, rateLimit: { requests: 1, window: "1m" } }],
      "a rate limit needs a limiter",
    ],
    [
      "an unknown limit",
      [() => 1, { path: "/x", requireAuth: false, limits: ["login"] }],
      `route ${method} /x: limits: login is not configured`,
    ],
    [
      "a limit of the prototype",
      [() => 1, { path: "/x", requireAuth: false, limits: ["constructor"] }],
      `route ${method} /x: limits: constructor is not configured`,
    ],
    [
      "a body of no size",
      [() => 1, { path: "/x", requireAuth: false, maxBodyBytes: Number.NaN }],
      `route ${method} /x: maxBodyBytes: expected a whole number from 0, came NaN`,
    ],
    [
      "no authenticator",
      [() => 1, { path: "/x", requireAuth: true }],
      `route ${method} /x: requireAuth: this handler has no authenticator`,
    ],
  ])("%s is a TypeError that names the route", (_what, args, message) => {
    expect(() => define(...args)).toThrow(TypeError);
    expect(() => define(...args)).toThrow(message);
  });

  test("detached from its class it throws", () => {
    const detached = BaseAPIHandler[method] as unknown as Loose;
    expect(() => detached(() => 1, open)).toThrow(`${method}(...): call it on its class`);
  });

  test("tells its method, path and policies", () => {
    const route = SignedIn[method](() => 1, { ...open, requireAuth: true, summary: "s" });
    expect({ ...route }).toMatchObject({
      method,
      path: "/things/:id",
      policies: [{ name: "requireAuth", options: true }],
      principals: ["user"],
      definition: { path: "/things/:id", requireAuth: true, summary: "s" },
    });
  });
});

test.each(["GET", "HEAD"] as const)("%s takes no body schema", (method) => {
  const define = (): unknown => BaseAPIHandler[method](() => 1, { ...open, body: z.object({}) });
  expect(define).toThrow(`route ${method} /things/:id: body: expected no body on ${method}`);
});

const ask = async (
  route: (request: Request, info?: object) => Promise<Response>,
  init: RequestInit = {},
  info?: object,
): Promise<{ status: number; json: { data: unknown; code?: string }; headers: Headers }> => {
  const response = await route(new Request("http://h/things/7?a=1&b=2&b=3", init), info);
  const text = await response.text();
  const json = (text === "" ? {} : JSON.parse(text)) as { data: unknown; code?: string };
  return { status: response.status, json, headers: response.headers };
};

describe("a handler", () => {
  test.each<[what: string, handler: () => unknown, status: number, data: unknown]>([
    ["answers at once", () => ({ a: 1 }), 200, { a: 1 }],
    ["answers later", async () => ({ a: 1 }), 200, { a: 1 }],
    ["answers nothing", () => undefined, 200, null],
    ["answers by the builder", () => ResponseBuilder.created(1), 201, 1],
    ["answers by the builder, later", async () => ResponseBuilder.created(1), 201, 1],
  ])("%s", async (_what, handler, status, data) => {
    const answer = await ask(BaseAPIHandler.GET(handler, open));
    expect(answer.status).toBe(status);
    expect(answer.json.data).toEqual(data);
  });

  test("gets the parameters, the query as it came, and nobody", async () => {
    const route = BaseAPIHandler.GET(
      ({ params, query, userId, principal, roles, address }) => ({
        params,
        query,
        unknown: [userId, principal, roles, address].every((value) => value === undefined),
      }),
      open,
    );
    expect((await ask(route)).json.data).toEqual({
      params: { id: "7" },
      query: { a: "1", b: ["2", "3"] },
      unknown: true,
    });
  });

  test("gets what the schemas made of the input", async () => {
    const route = BaseAPIHandler.POST(({ query, body }) => ({ query, body }), {
      ...open,
      query: z.object({ a: z.coerce.number() }),
      body: z.object({ name: z.string().transform((text) => text.length) }),
    });
    const headers = { "content-type": "application/json" };
    const answer = await ask(route, { method: "POST", headers, body: '{"name":"abc"}' });
    expect(answer.json.data).toEqual({ query: { a: 1 }, body: { name: 3 } });
  });

  test("without a body schema reads the body itself, under the limit", async () => {
    const policy = { ...open, maxBodyBytes: 4 };
    const route = BaseAPIHandler.POST(async ({ request }) => request.text(), policy);
    expect((await ask(route, { method: "POST", body: "abcd" })).json.data).toBe("abcd");
    expect((await ask(route, { method: "POST" })).json.data).toBe("");
    expect(await ask(route, { method: "POST", body: "abcde" })).toMatchObject({ status: 413 });
  });

  test.each<[what: string, params: unknown]>([
    ["at once", { id: "8" }],
    ["as Next.js does, by a promise", Promise.resolve({ id: "8" })],
  ])("takes the host's parameters, %s", async (_what, params) => {
    const route = BaseAPIHandler.GET((context) => context.params.id, open);
    expect((await ask(route, {}, { params })).json.data).toBe("8");
  });

  test("joins a catch-all that comes as a list", async () => {
    const policy = { path: "/files/*rest", requireAuth: false } as const;
    const route = BaseAPIHandler.GET((context) => context.params.rest, policy);
    const info = { params: Promise.resolve({ rest: ["a", "b"] }) };
    expect((await ask(route, {}, info)).json.data).toBe("a/b");
  });

  test("that fails to get its parameters is not run", async () => {
    const route = BaseAPIHandler.GET(() => 1, open);
    const params = Promise.reject(new Error("gone"));
    expect((await ask(route, {}, { params })).status).toBe(500);
  });
});

describe("a subclass decides", () => {
  class Own extends SignedIn {
    static override validateQuery(_schema: unknown, query: unknown): unknown {
      return { seen: query };
    }
    static override async validateBody(): Promise<unknown> {
      return "own";
    }
  }

  test("who asks, and what a query and a body are", async () => {
    const schema = z.object({});
    const policy = { ...open, requireAuth: true, query: schema, body: schema } as const;
    const route = Own.POST(({ userId, query, body }) => ({ userId, query, body }), policy);
    expect((await ask(route, { method: "POST" })).json.data).toEqual({
      userId: "u1",
      query: { seen: { a: "1", b: ["2", "3"] } },
      body: "own",
    });
  });

  test("its own kernel", async () => {
    class Versioned extends BaseAPIHandler {
      static override readonly kernel = { ...bareKernel, version: "9" };
    }
    const { json } = await ask(Versioned.GET(() => 1, open));
    expect(json).toMatchObject({ meta: { version: "9" } });
  });
});
