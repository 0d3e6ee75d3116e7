import { sql } from "drizzle-orm";
import { describe, expect, test, vi } from "vitest";
import { createRouter } from "../../../src/core/index.ts";
import { type Answer, dataOf, PASSWORD } from "../../support/app.ts";
import { signInByCookie } from "../auth/support.ts";
import { STANDING } from "../edge/support.ts";
import { LAMP } from "../products/support.ts";
import { APP, accessHeaders, corsApp } from "./support.ts";

const app = await corsApp();
const { bulwark, call, signUp } = app;
const { token } = await signUp();
const EVIL = "https://evil.example";

const preflight = (path: string, headers: Record<string, string> = {}, method = "POST") =>
  call("OPTIONS", path, {
    headers: { origin: APP, "access-control-request-method": method, ...headers },
  });

/** Every status, each from where it is decided. */
const OUTCOMES: readonly (readonly [status: number, act: (origin: string) => Promise<Answer>])[] = [
  [200, (origin) => call("GET", "/api/products", { token, headers: { origin } })],
  [201, (origin) => call("POST", "/api/products", { token, body: LAMP, headers: { origin } })],
  [400, (origin) => call("POST", "/api/products", { token, body: "{", headers: { origin } })],
  [401, (origin) => call("GET", "/api/products", { headers: { origin } })],
  [403, (origin) => call("GET", "/api/admin/audit", { token, headers: { origin } })],
  [404, (origin) => call("GET", "/nothing", { headers: { origin } })],
  [405, (origin) => call("PUT", "/api/products", { token, headers: { origin } })],
  [405, (origin) => call("OPTIONS", "/api/products", { headers: { origin } })],
  [
    413,
    (origin) =>
      call("POST", "/api/products", { token, body: "x".repeat(1_048_577), headers: { origin } }),
  ],
  [
    414,
    (origin) => call("GET", `/api/products?search=${"a".repeat(8_192)}`, { headers: { origin } }),
  ],
  [
    429,
    async (origin) => {
      const login = () => call("POST", "/api/auth/login", { body: {}, headers: { origin } });
      const answers = await Promise.all(Array.from({ length: 130 }, login));
      app.clock.advance(120_000);
      return answers.find(({ status }) => status === 429) as Answer;
    },
  ],
  [
    500,
    async (origin) => {
      const broken = vi.spyOn(bulwark.auth, "me").mockRejectedValue(new Error("broken"));
      const answer = await call("GET", "/api/auth/me", { token, headers: { origin } });
      broken.mockRestore();
      return answer;
    },
  ],
];

describe.each(OUTCOMES)("a %i", (status, act) => {
  test("tells a listed origin what it may read", async () => {
    const answer = await act(APP);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(answer.headers.get("vary")).toBe("Origin");
  });

  test.each([EVIL, "null", `${APP}.evil.example`])(
    "says %s nothing, and varies all the same",
    async (origin) => {
      const answer = await act(origin);
      expect(answer.status).toBe(status);
      expect(accessHeaders(answer)).toEqual([]);
      expect(answer.headers.get("vary")).toBe("Origin");
    },
  );
});

test("without an Origin every answer varies by it", async () => {
  for (const path of ["/health/live", "/nothing", "/api/products", "/docs"]) {
    const response = await fetch(`http://127.0.0.1:${app.port}${path}`);
    expect(response.headers.get("vary"), path).toBe("Origin");
    expect(accessHeaders(response)).toEqual([]);
  }
});

test("a host below a suffix may read, without cookies", async () => {
  const origin = "https://pr-17.preview.example.com";
  const answer = await call("GET", "/health/live", { headers: { origin } });
  expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
  expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
});

test("an Origin that comes twice is none that is listed", async () => {
  const [answer] = await app.raw(
    `GET /health/live HTTP/1.1\r\nHost: localhost:${app.port}\r\nOrigin: ${APP}\r\nOrigin: ${APP}\r\nConnection: close\r\n\r\n`,
  );
  expect(answer?.status).toBe(200);
  expect(JSON.stringify(answer)).not.toContain("access-control-allow-origin");
});

describe("a preflight", () => {
  test("of a listed origin is 204, with what the routes of the path take", async () => {
    const answer = await preflight(
      "/api/products/01a20cea-28b8-727a-9362-1e88e86bbf2d",
      {
        "access-control-request-headers": "authorization,content-type",
      },
      "PATCH",
    );
    expect(answer.status).toBe(204);
    expect(answer.text).toBe("");
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...STANDING,
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, PATCH, DELETE",
      "access-control-allow-headers":
        "authorization, content-type, x-api-key, x-csrf-token, x-request-id",
      "access-control-max-age": "7200",
      vary: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    });
    expect(answer.headers.get("x-request-id")).not.toBeNull();
  });

  test.each<[what: string, act: () => Promise<Answer>, status: number]>([
    ["of a foreign origin", () => preflight("/api/products", { origin: EVIL }), 403],
    ["of `null`", () => preflight("/api/products", { origin: "null" }), 403],
    ["of a foreign origin where no route is", () => preflight("/nothing", { origin: EVIL }), 403],
    ["of a listed origin where no route is", () => preflight("/nothing"), 404],
    [
      "for a method that the path does not take",
      () => preflight("/api/products", {}, "DELETE"),
      403,
    ],
    ["for no method of HTTP", () => preflight("/api/products", {}, "get"), 403],
    [
      "for a header that is not listed",
      () => preflight("/api/products", { "access-control-request-headers": "x-other" }),
      403,
    ],
    [
      "from a public network",
      () => preflight("/api/products", { "access-control-request-private-network": "true" }),
      403,
    ],
    ["under another spelling of the path", () => preflight("//api/products"), 404],
  ])("%s", async (_what, act, status) => {
    const answer = await act();

    expect(answer.status).toBe(status);
    expect(accessHeaders(answer)).toEqual([]);
    expect(answer.headers.get("vary")).toContain("Origin");
    expect(answer.json).toMatchObject({ success: false, statusCode: status });
  });

  test("to an unknown host is 421 as everything is", async () => {
    const [answer] = await app.raw(
      `OPTIONS /api/products HTTP/1.1\r\nHost: evil.example\r\nOrigin: ${APP}\r\nAccess-Control-Request-Method: GET\r\nConnection: close\r\n\r\n`,
    );
    expect(answer?.status).toBe(421);
  });

  test("costs no limit, asks for no credential and leaves no row", async () => {
    await app.reset();
    const statuses = new Set<number>();
    for (let round = 0; round < 7; round += 1) {
      const asked = Array.from({ length: 100 }, () => preflight("/api/products", { origin: EVIL }));
      for (const { status } of await Promise.all(asked)) statuses.add(status);
    }
    expect([...statuses]).toEqual([403]);
    const answer = await preflight("/api/products", { authorization: "Bearer wrong" });
    expect(answer.status).toBe(204);
    expect(answer.headers.has("x-ratelimit-limit")).toBe(false);
    const [row] = await app.query(sql`SELECT count(*)::int AS n FROM bulwark.audit_events`);
    expect(row?.["n"]).toBe(0);
  });
});

test("the request that a page sends after it is what the preflight promised", async () => {
  const account = await signUp();
  const login = await call("POST", "/api/auth/login", {
    body: { email: account.email, password: PASSWORD, mode: "cookie" },
    headers: { origin: APP, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
  });
  expect(login.status).toBe(200);
  const cookie = login.headers
    .getSetCookie()
    .map((each) => each.split(";")[0])
    .join("; ");
  const made = await call("POST", "/api/products", {
    body: LAMP,
    headers: { cookie, origin: APP, "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" },
  });
  expect(made.status).toBe(201);
  expect(dataOf<{ id: string }>(made).id).toBeDefined();
});

// Hosts below a suffix may read; that they may not act with our cookies is another list.
test("a page below a suffix sends nothing with our cookies", async () => {
  const cookie = await signInByCookie(app, await signUp());
  const origin = "https://pr-17.preview.example.com";
  const answer = await call("POST", "/api/products", { body: LAMP, headers: { cookie, origin } });
  expect(answer.status).toBe(403);
  expect(answer.json["code"]).toBe("CSRF_REJECTED");
});

describe("a route's own answer", () => {
  const { BaseAPIHandler, AuthenticatedAPIHandler } = bulwark.handlers;
  const own = (headers: Record<string, string>) => () => new Response("hi", { headers });
  const router = createRouter(BaseAPIHandler, [
    BaseAPIHandler.GET(own({ vary: "Accept-Language", "cache-control": "public" }), {
      path: "/varied",
      requireAuth: false,
    }),
    BaseAPIHandler.GET(
      (context) => {
        context.header("vary", "Cookie");
        return { done: true };
      },
      { path: "/named", requireAuth: false },
    ),
    AuthenticatedAPIHandler.GET(own({ "cache-control": "public, max-age=60" }), {
      path: "/private",
      requireAuth: true,
    }),
    AuthenticatedAPIHandler.GET(
      (context) => {
        context.header("cache-control", "public, max-age=60");
        return { done: true };
      },
      { path: "/private-data", requireAuth: true },
    ),
    BaseAPIHandler.OPTIONS(() => "own", { path: "/varied", requireAuth: false }),
  ]);
  const get = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    router(new Request(`http://localhost:${app.port}${path}`, { method, headers }), {});

  test("adds to what an answer varies by", async () => {
    expect((await get("/varied")).headers.get("vary")).toBe("Origin, Accept-Language");
    expect((await get("/named")).headers.get("vary")).toBe("Origin, Cookie");
    expect((await get("/varied")).headers.get("cache-control")).toBe("public");
  });

  // CVE-2026-44457: a shared cache kept an authenticated answer.
  test.each(["/private", "/private-data"])(
    "%s is kept by nobody, whatever it says",
    async (path) => {
      const answer = await get(path, { authorization: `Bearer ${(await signUp()).token}` });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    },
  );

  test("an OPTIONS route answers a page's own request, and no preflight", async () => {
    const asked = { origin: APP, "access-control-request-method": "GET" };
    expect(await (await get("/varied", { origin: APP }, "OPTIONS")).text()).toContain("own");
    const answer = await get("/varied", asked, "OPTIONS");
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-methods")).toBe("GET, HEAD, OPTIONS");
  });
});
