import { describe, expect, test } from "vitest";
import type { RequestContext } from "./context.ts";
import { BaseAPIError } from "./errors.ts";
import type { RouteInfo } from "./exchange.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel } from "./kernel.ts";
import type { AuthResult } from "./principal.ts";
import { wrapper } from "./stage.ts";

const anything = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;

class Handlers extends BaseAPIHandler {
  static override readonly kernel: Kernel = {
    ...bareKernel,
    clock: { now: () => 0 },
    responseHeaders: { "x-standing": "yes", "cache-control": "no-store" },
  };
}

const ask = (
  handler: (context: RequestContext) => unknown,
  { info = {}, method = "GET" }: { info?: RouteInfo; method?: string } = {},
): Promise<Response> => {
  const route = Handlers.GET(handler, { path: "/x", requireAuth: false });
  const headers = { "x-request-id": "req-12345678" };
  return route(new Request("http://h/x", { method, headers }), info);
};

const everything = (context: RequestContext): unknown => {
  context.header("Set-Cookie", "a=1");
  context.header("set-cookie", "b=2");
  context.header("Cache-Control", "max-age=60");
  context.header("x-own", "1");
  return { name: "caf\u00e9" };
};
const refuses = (): never => {
  const headers = { "Retry-After": "5", "X-Standing": "no" };
  throw new BaseAPIError("CONFLICT", "Not now.", { headers });
};

describe("what a host makes of the list is what the constructor makes", () => {
  const HANDLERS = [
    ["GET", everything],
    ["HEAD", everything],
    ["GET", refuses],
    ["HEAD", refuses],
  ] as const;
  test.each(HANDLERS)("%s, %o", async (method, handler) => {
    const lists: string[][] = [];
    const info: RouteInfo = {
      response(body, status, standing, headers) {
        lists.push([...Object.entries(standing).flat(), ...headers]);
        const list = new Headers(standing);
        for (let index = 0; index < headers.length; index += 2) {
          list.append(headers[index] ?? "", headers[index + 1] ?? "");
        }
        return new Response(body, { status, headers: list });
      },
    };
    const [plain, hosted] = [await ask(handler, { method }), await ask(handler, { method, info })];
    expect(hosted.status).toBe(plain.status);
    expect([...hosted.headers]).toEqual([...plain.headers]);
    expect(await hosted.text()).toBe(await plain.text());
    const names = (lists[0] ?? []).filter((_, index) => index % 2 === 0);
    const once = names.filter((name) => name !== "set-cookie");
    expect(new Set(once).size).toBe(once.length);
    expect(names.join()).toBe(names.join().toLowerCase());
  });

  test("a refusal's own header replaces the standing one, however it is spelled", async () => {
    const { headers } = await ask(refuses);
    expect(headers.get("x-standing")).toBe("no");
    expect(headers.get("retry-after")).toBe("5");
  });
});

test("a list that a host keeps is not the next request's", async () => {
  const lists: string[][] = [];
  const info: RouteInfo = {
    response(body, status, _standing, headers) {
      lists.push(headers);
      headers.push("x-spoiled", "1");
      return new Response(body, { status });
    },
  };
  await ask(() => ({}), { info });
  await ask(() => ({}), { info });
  expect(lists[0]).toEqual(lists[1]);
});

test.each(["Content-Length", "transfer-encoding", "Connection", "keep-alive", "upgrade"])(
  "%s is the host's to write",
  async (name) => {
    const response = await ask((context) => context.header(name, "1"));
    expect(response.status).toBe(500);
    expect(response.headers.get(name)).toBeNull();
  },
);

test("a host's real request is made only where a handler asks for it", async () => {
  let made = 0;
  const real = new Request("http://h/x", { headers: { "x-real": "1" } });
  const info: RouteInfo = {
    header: () => null,
    request() {
      made += 1;
      return real;
    },
  };
  await ask(() => ({}), { info });
  expect(made).toBe(0);
  await ask(
    (context) => {
      expect(context.request).toBe(real);
      expect(context.request).toBe(real);
      expect(context.signal).toBe(real.signal);
      return {};
    },
    { info },
  );
  expect(made).toBe(1);
});

test("refusals that are made once carry nothing of the request before", async () => {
  const closed = Handlers.GET(() => ({}), { path: "/y", requireAuth: false });
  const ids = ["req-11111111", "req-22222222"];
  for (const id of ids) {
    const init = { method: "POST", headers: { "x-request-id": id } };
    const response = await closed(new Request("http://h/y", init));
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await response.json()).toMatchObject({ meta: { requestId: id } });
  }
});

describe("a handler that reads its body by itself", () => {
  const sent = (): Request => new Request("http://h/x", { method: "POST", body: "x".repeat(40) });
  const readsIt = async ({ request }: RequestContext): Promise<string> => await request.text();
  const asksFirst = wrapper({
    phase: "authorize",
    policy: { name: "asksFirst", options: undefined },
    bind: () => (context) => (context.request.method === "POST" ? "pass" : new Error("other")),
  });
  const ROUTES = [
    ["alone", readsIt],
    ["behind a stage that looked at the request", asksFirst(readsIt)],
  ] as const;
  test.each(ROUTES)("is given no more than the limit, %s", async (_, handler) => {
    const policy = { path: "/x", requireAuth: false } as const;
    const long = Handlers.POST(handler, { ...policy, maxBodyBytes: 39 });
    expect((await long(sent(), {})).status).toBe(413);
    const fits = Handlers.POST(handler, { ...policy, maxBodyBytes: 40 });
    expect(await (await fits(sent(), {})).json()).toMatchObject({ data: "x".repeat(40) });
  });

  test("nor is an authenticator that reads it before its turn", async () => {
    class Signed extends Handlers {
      static override async checkAuth(request: Request): Promise<AuthResult> {
        await request.clone().text();
        return { isAuthenticated: false, reason: "absent" };
      }
    }
    const route = (maxBodyBytes: number) =>
      Signed.POST(readsIt, { path: "/x", requireAuth: false, maxBodyBytes });
    expect((await route(39)(sent(), {})).status).toBe(413);
    expect(await (await route(40)(sent(), {})).json()).toMatchObject({ data: "x".repeat(40) });
  });

  test("is told of a body that somebody in front of it has read", async () => {
    const policy = { path: "/x", requireAuth: false } as const;
    const used = async (headers: HeadersInit): Promise<Request> => {
      const request = new Request(sent(), { headers });
      await request.text();
      return request;
    };
    const refused = async ({ request }: RequestContext): Promise<unknown> =>
      await request.text().catch(({ name }: Error) => name);
    for (const headers of [{}, { "content-length": "40" }]) {
      const answer = await Handlers.POST(refused, policy)(await used(headers), {});
      expect(await answer.json()).toMatchObject({ data: "TypeError" });
    }
    const validated = Handlers.POST(() => "read", { ...policy, body: anything });
    const headers = { "content-type": "application/json" };
    expect((await validated(await used(headers), {})).status).toBe(400);
  });

  test("takes nothing of a body that it does not read", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(10));
        },
      },
      { highWaterMark: 0 },
    );
    const request = new Request("http://h/x", {
      method: "POST",
      body,
      duplex: "half",
    } as RequestInit);
    const route = Handlers.POST(() => "unread", { path: "/x", requireAuth: false });
    expect((await route(request, {})).status).toBe(200);
    expect(pulled).toBe(0);
  });

  test("is made no Request unless it asks for one", async () => {
    let made = 0;
    const info: RouteInfo = {
      request: () => {
        made += 1;
        return sent();
      },
    };
    const policy = { path: "/x", requireAuth: false } as const;
    const answer = async (handler: (context: RequestContext) => unknown): Promise<number> =>
      (await Handlers.POST(handler, policy)(sent(), info)).status;
    expect(await answer(() => "unread")).toBe(200);
    expect(made).toBe(0);
    expect(await answer(readsIt)).toBe(200);
    expect(made).toBe(1);
  });
});
