import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requireRoles } from "../../../src/access/index.ts";
import { AuthenticatedAPIHandler as BareAuthenticated } from "../../../src/auth/index.ts";
import {
  type AnyRoute,
  BaseAPIHandler as BareBase,
  type Principal,
  type RequestContext,
} from "../../../src/core/index.ts";
import { withRateLimit } from "../../../src/rate-limit/index.ts";
import { referenceRoutes } from "../../../src/server/index.ts";
import { type Account, testApp } from "../../support/app.ts";

const { bulwark, reset, signUp } = await testApp();
const { AuthenticatedAPIHandler, BaseAPIHandler, SignInHandler } = bulwark.handlers;
const recent = bulwark.requireRecentAuth();
let user: Account;
let entered = 0;

beforeAll(async () => {
  await reset();
  user = await signUp();
});
beforeEach(() => {
  entered = 0;
});

/** Counts whoever got past all that stands before a handler. */
const inner = (): { readonly entered: true } => {
  entered += 1;
  return { entered: true };
};

const policy = { path: "/inner", requireAuth: true } as const;

/** Routes that a framework would mount by themselves: no router, no server and no middleware of ours runs before them. */
const ROUTES: readonly (readonly [what: string, route: AnyRoute])[] = [
  ["AuthenticatedAPIHandler", AuthenticatedAPIHandler.GET(inner, policy)],
  ["AuthenticatedAPIHandler, POST", AuthenticatedAPIHandler.POST(inner, policy)],
  ["BaseAPIHandler", BaseAPIHandler.GET(inner, policy)],
  ["SignInHandler", SignInHandler.GET(inner, policy)],
  ["a class of one's own", class extends AuthenticatedAPIHandler {}.GET(inner, policy)],
  ["requireRoles", BaseAPIHandler.GET(requireRoles("user")(inner), policy)],
  ["requireRecentAuth", BaseAPIHandler.GET(recent(inner), policy)],
  [
    "all wrappers",
    BaseAPIHandler.GET(
      withRateLimit({ requests: 1_000, window: "1m" })(requireRoles("user")(recent(inner))),
      policy,
    ),
  ],
];

// CVE-2025-29927 (Next.js): the check stood in a middleware, which a header switched off.
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { "x-middleware-subrequest": "middleware" },
  { "x-middleware-subrequest": "middleware:middleware:middleware:middleware:middleware" },
  { "x-middleware-subrequest": "src/middleware:src/middleware:src/middleware:src/middleware" },
  { "x-middleware-subrequest-id": "1", "x-middleware-next": "1", "x-middleware-rewrite": "/" },
  { "x-middleware-set-cookie": "__Host-session=x", "x-middleware-request-x-user-id": "1" },
  { "x-nextjs-data": "1", "x-invoke-path": "/inner", "x-matched-path": "/health/live" },
  { "x-user-id": "1", "x-user-role": "admin", "x-authenticated": "true", "x-remote-user": "root" },
  { "x-original-url": "/health/live", "x-rewrite-url": "/health/live" },
  { "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-internal": "1" },
  { "x-http-method-override": "OPTIONS" },
  { authorization: "Bearer undefined" },
  { authorization: "Bearer null" },
  { cookie: "__Host-session=" },
];

const request = (route: AnyRoute, headers: Readonly<Record<string, string>> = {}): Request =>
  new Request(`${bulwark.issuer}/inner`, {
    method: route.method,
    headers: { "sec-fetch-site": "same-origin", ...headers },
  });

describe.each(ROUTES)("a route of %s, called by itself", (_what, route) => {
  test.each(HEADERS)("is 401 with %j", async (headers) => {
    const response = await route(request(route, headers), { peer: "192.0.2.1" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(entered).toBe(0);
  });

  test("takes nobody's word for who asks", async () => {
    const principal: Principal = {
      kind: "user",
      userId: user.id,
      sessionId: user.id,
      via: "bearer",
      methods: [{ method: "pwd", at: Date.now() }],
      roles: ["user", "admin"],
    };
    const claims = { principal, user: principal, session: principal, auth: principal };
    const info = { ...claims, params: claims, peer: "192.0.2.1" };
    const asked = Object.assign(request(route), claims);
    expect((await route(asked, info)).status).toBe(401);
    expect(entered).toBe(0);
  });

  test("is open to a session, so that the refusals are not those of a route that never opens", async () => {
    const { token } = await signUp();
    const asked = request(route, { authorization: `Bearer ${token}` });
    expect((await route(asked, { peer: "192.0.2.1" })).status).toBe(200);
    expect(entered).toBe(1);
  });
});

const closed = referenceRoutes(bulwark).filter(({ definition }) => definition.requireAuth);

test("there are routes that ask for a user", () => expect(closed.length).toBeGreaterThan(30));

test.each(closed.map((route) => [route.method, route.path, route] as const))(
  "%s %s, called by itself, is 401",
  async (method, path, route) => {
    const url = `${bulwark.issuer}${path.replaceAll(/:\w+/g, "01900000-0000-7000-8000-000000000000")}`;
    const headers = { "x-middleware-subrequest": "middleware:middleware:middleware" };
    const response = await route(new Request(url, { method, headers }), { peer: "192.0.2.2" });
    expect(response.status).toBe(401);
  },
);

describe("a wrapped handler without its route", () => {
  const context = { principal: { kind: "user", roles: ["user"] } } as unknown as RequestContext;

  test.each<[what: string, call: () => unknown]>([
    ["requireRoles", () => requireRoles("user")(inner)(context as never)],
    ["requireRecentAuth", () => recent(inner)(context as never)],
    ["withRateLimit", () => withRateLimit({ requests: 1, window: "1m" })(inner)(context)],
  ])("of %s runs nothing", (_what, call) => {
    expect(call).toThrow(TypeError);
    expect(entered).toBe(0);
  });
});

test.each([
  ["BaseAPIHandler", BareBase],
  ["AuthenticatedAPIHandler", BareAuthenticated],
])("%s without an application refuses to make a route that asks for a user", (_name, handlers) => {
  expect(() => handlers.GET(inner, policy)).toThrow(/no authenticator/);
});
