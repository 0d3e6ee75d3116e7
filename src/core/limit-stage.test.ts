import { describe, expect, test } from "vitest";
import { ForbiddenError, UnavailableError } from "./errors.ts";
import type { RouteInfo } from "./exchange.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel } from "./kernel.ts";
import {
  addressKey,
  limitAddress,
  limitPolicy,
  limitStage,
  principalKey,
  type RateLimitOptions,
} from "./limit-stage.ts";
import type { LimitRequest, LimitState, Verdict } from "./ports.ts";
import type { AuthResult, Principal } from "./principal.ts";
import { createRouter } from "./router.ts";
import { wrapper } from "./stage.ts";

const user: Principal = {
  kind: "user",
  userId: "u1",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles: [],
};

// CVE-2026-45364: turning the lower half of an IPv6 address gave a new bucket each time.
describe("limitAddress", () => {
  test.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::ffff:1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
    ["::2:3:4:5:6:7:8", "0:2:3:4::/64"],
  ])("%s counts as %s", (address, key) => {
    expect(limitAddress(address)).toBe(key);
  });
});

describe("whom a limit counts", () => {
  const key = {
    kind: "userKey",
    userId: "u1",
    keyId: "k1",
    via: "key",
    scopes: [],
    roles: [],
  } as const;
  const tenant = {
    kind: "tenantKey",
    tenantId: "t1",
    keyId: "k2",
    via: "key",
    scopes: [],
  } as const;

  test.each<[principal: Principal | undefined, address: string | undefined, name: string]>([
    [user, "1.1.1.1", "u1"],
    [key, "1.1.1.1", "key:k1"],
    [tenant, "1.1.1.1", "key:k2"],
    [undefined, "1.1.1.1", "address:1.1.1.1"],
    [undefined, "2001:db8::1", "address:2001:db8:0:0::/64"],
    [undefined, undefined, "address:unknown"],
  ])("%o from %s is %s", (principal, address, name) => {
    const context = { principal, address } as Parameters<typeof principalKey>[0];
    expect(principalKey(context)).toBe(name);
  });

  test("addresses are remembered up to a bound, and stay themselves past it", () => {
    const keyOf = (i: number): string =>
      addressKey({ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` } as Parameters<
        typeof addressKey
      >[0]);
    const keys = Array.from({ length: 10_500 }, (_, i) => keyOf(i));
    expect(new Set(keys).size).toBe(10_500);
    expect(keyOf(3)).toBe(keys[3]);
  });
});

describe("limitPolicy", () => {
  test("reads the window", () => {
    const policy = limitPolicy("login", { requests: 100, window: "1m" });
    expect(policy).toEqual({ name: "login", requests: 100, windowMs: 60_000 });
  });

  test.each<[requests: number, window: string, message: string]>([
    [0, "1m", "login.requests: expected a whole number from 1, came 0"],
    [-1, "1m", "login.requests: expected a whole number from 1, came -1"],
    [1.5, "1m", "login.requests: expected a whole number from 1, came 1.5"],
    [Number.NaN, "1m", "login.requests: expected a whole number from 1, came NaN"],
    [Number.POSITIVE_INFINITY, "1m", "login.requests: expected a whole number"],
    [1_000_000_001, "1m", "login.requests: expected a whole number"],
    [
      1,
      "1 minute",
      'login.window: expected a duration such as "30s", "15m" or "1h", came "1 minute"',
    ],
  ])("%d in %s is refused", (requests, window, message) => {
    expect(() => limitPolicy("login", { requests, window })).toThrow(RangeError);
    expect(() => limitPolicy("login", { requests, window })).toThrow(message);
  });

  test("a stage refuses when it is made, not when it is asked", () => {
    expect(() => limitStage({ requests: 0, window: "1m" })).toThrow(RangeError);
  });
});

/** A kernel whose limiter keeps what it was asked, and answers by the remaining tokens that `left` says of a policy. */
function limited(left: (policy: string) => number, kernel: Partial<Kernel> = {}) {
  const asked: LimitRequest[] = [];
  const decide = (requests: readonly LimitRequest[]): Verdict => {
    asked.push(...requests);
    const states: LimitState[] = requests.map(({ policy }) => ({
      policy,
      remaining: Math.max(0, left(policy.name)),
      resetMs: 30_000,
    }));
    const violated = requests.map(({ policy }) => policy.name).filter((name) => left(name) < 0);
    return { allowed: violated.length === 0, retryAfterMs: 1_500, states, violated };
  };
  class Handlers extends BaseAPIHandler {
    static override readonly kernel: Kernel = {
      ...bareKernel,
      clock: { now: () => 0 },
      namedLimits: {
        address: { name: "address", requests: 100, windowMs: 60_000 },
        login: { name: "login", requests: 10, windowMs: 60_000 },
      },
      limiter: { decide },
      ...kernel,
    };
  }
  return { Handlers, asked };
}

const namesOf = (asked: readonly LimitRequest[]): string[] =>
  asked.map(({ policy, key }) => `${policy.name} ${key}`);

const ask = (
  route: (request: Request, info: RouteInfo) => Response | Promise<Response>,
  path = "/x",
) => route(new Request(`http://h${path}`), { peer: "1.1.1.1" });

const signedIn: AuthResult = { isAuthenticated: true, principal: user };

describe("a request is counted", () => {
  const rateLimit = { requests: 5, window: "1m" };
  const policy = { path: "/x", requireAuth: false } as const;

  test("by its address, and by the route's own limits, at once", async () => {
    const { Handlers, asked } = limited(() => 5);
    await ask(Handlers.GET(() => 1, { ...policy, limits: ["login"] }));
    expect(namesOf(asked)).toEqual(["address address:1.1.1.1", "login address:1.1.1.1"]);
  });

  test("by its principal after that, under a name for each limit", async () => {
    const { Handlers, asked } = limited(() => 5, { authenticate: () => signedIn });
    const handler = wrapper(limitStage({ requests: 100, window: "1h" }))(() => 1);
    await ask(Handlers.GET(handler, { ...policy, rateLimit }));
    expect(namesOf(asked)).toEqual([
      "address address:1.1.1.1",
      "GET /x 5/1m u1",
      "GET /x 100/1h u1",
    ]);
  });

  test.each<[what: string, keyGenerator: RateLimitOptions["keyGenerator"], key: string]>([
    ["what a key generator says", () => "own", "own"],
    ["the address where it says nothing", () => undefined, "address:1.1.1.1"],
  ])("by %s", async (_what, keyGenerator, key) => {
    const { Handlers, asked } = limited(() => 5);
    const options = keyGenerator === undefined ? rateLimit : { ...rateLimit, keyGenerator };
    await ask(Handlers.GET(() => 1, { ...policy, rateLimit: options }));
    expect(asked.at(-1)?.key).toBe(key);
  });

  test("not at all where it is a probe", async () => {
    const { Handlers, asked } = limited(() => -1);
    const response = await ask(Handlers.GET(() => 1, { ...policy, insecureUnlimited: true }));
    expect(response.status).toBe(200);
    expect(asked).toEqual([]);
  });

  test("a key generator that throws refuses", async () => {
    const { Handlers } = limited(() => 5);
    const keyGenerator = (): string => {
      throw new Error("x");
    };
    const route = Handlers.GET(() => 1, { ...policy, rateLimit: { ...rateLimit, keyGenerator } });
    expect((await ask(route)).status).toBe(500);
  });

  test("a limiter that cannot know refuses", async () => {
    const decide = (): Promise<never> => Promise.reject(new Error("gone"));
    const { Handlers } = limited(() => 5, { limiter: { decide } });
    expect((await ask(Handlers.GET(() => 1, policy))).status).toBe(500);
  });
});

describe("what stands in the headers", () => {
  const headersOf = ({ headers }: Response): (string | null)[] =>
    ["limit", "remaining", "reset"].map((name) => headers.get(`x-ratelimit-${name}`));
  const RESET = "1970-01-01T00:00:30.000Z";

  test.each<[status: number, requireAuth: boolean, path: string, left: number]>([
    [200, false, "/x", 7],
    [401, true, "/x", 7],
    [404, false, "/y", 7],
    [429, false, "/x", -1],
    [429, false, "/y", -1],
  ])("on a %i, requireAuth %s, %s", async (status, requireAuth, path, left) => {
    const { Handlers } = limited(() => left);
    const router = createRouter(Handlers, [Handlers.GET(() => 1, { path: "/x", requireAuth })]);
    const response = await ask(router, path);
    expect(response.status).toBe(status);
    expect(headersOf(response)).toEqual(["100", String(Math.max(0, left)), RESET]);
    expect(response.headers.get("retry-after")).toBe(status === 429 ? "2" : null);
    if (status !== 429) return;
    expect(await response.json()).toMatchObject({ "violated-policies": ["address"] });
  });

  test.each([
    [500, new Error("a bug")],
    [503, new UnavailableError("gone")],
    [403, new ForbiddenError("no")],
  ])("on a %i of the handler", async (status, error) => {
    const { Handlers } = limited(() => 7);
    const fail = (): never => {
      throw error;
    };
    const response = await ask(Handlers.GET(fail, { path: "/x", requireAuth: false }));
    expect(response.status).toBe(status);
    expect(headersOf(response)).toEqual(["100", "7", RESET]);
    expect(response.headers.get("ratelimit")).toBe('"address";r=7;t=30');
  });

  test("the limit that is nearest to refusing stands, on a raw response too", async () => {
    const { Handlers } = limited((name) => (name === "login" ? 2 : 90));
    const policy = { path: "/x", requireAuth: false, limits: ["login"] };
    const response = await ask(Handlers.GET(() => new Response("raw"), policy));
    expect(headersOf(response)).toEqual(["10", "2", RESET]);
  });

  test("nothing stands where nothing was decided", async () => {
    const route = BaseAPIHandler.GET(() => 1, { path: "/x", requireAuth: false });
    expect(headersOf(await ask(route))).toEqual([null, null, null]);
  });
});

describe("limits by address", () => {
  const named = (...names: readonly string[]): Kernel["namedLimits"] =>
    Object.fromEntries(names.map((name) => [name, { name, requests: 100, windowMs: 60_000 }]));
  const policy = { path: "/x", requireAuth: false, limits: ["login"] } as const;
  const from = (
    route: (request: Request, info: RouteInfo) => Response | Promise<Response>,
    peer: string,
  ) => route(new Request("http://h/x"), { peer });

  test("an IPv6 address is counted with its /48 and its /32, all together under one tag", async () => {
    const namedLimits = named("address", "login", "login-48", "login-32");
    const { Handlers, asked } = limited(() => 5, { namedLimits });
    await from(
      Handlers.GET(() => 1, policy),
      "2001:db8:1:2::3",
    );
    expect(namesOf(asked)).toEqual([
      "address address:2001:db8:1:2::/64",
      "login address:2001:db8:1:2::/64",
      "login-48 address:2001:db8:1::/48",
      "login-32 address:2001:db8::/32",
    ]);
    expect(new Set(asked.map(({ tag }) => tag))).toEqual(new Set(["address:2001:db8::/32"]));
  });

  test("an IPv4 address stands alone", async () => {
    const namedLimits = named("address", "login", "login-48", "login-32");
    const { Handlers, asked } = limited(() => 5, { namedLimits });
    await from(
      Handlers.GET(() => 1, policy),
      "1.2.3.4",
    );
    expect(namesOf(asked)).toEqual(["address address:1.2.3.4", "login address:1.2.3.4"]);
  });

  test("a global limit counts everybody as one", async () => {
    const { Handlers, asked } = limited(() => 5, { namedLimits: named("address", "global") });
    const route = Handlers.GET(() => 1, { path: "/x", requireAuth: false });
    await from(route, "1.2.3.4");
    await from(route, "1.2.3.5");
    expect(namesOf(asked).filter((name) => name.startsWith("global"))).toEqual([
      "global global",
      "global global",
    ]);
  });

  test("who is banned is refused before anything is counted, and who is refused is heard of", async () => {
    const heard: (string | undefined)[] = [];
    const bans = {
      bannedFor: (address: string | undefined) => (address === "1.2.3.4" ? 90_000 : 0),
      refused: (address: string | undefined) => void heard.push(address),
    };
    const { Handlers, asked } = limited(() => -1, { bans });
    const route = Handlers.GET(() => 1, { path: "/x", requireAuth: false });
    const banned = await from(route, "1.2.3.4");
    expect(banned.status).toBe(429);
    expect(banned.headers.get("retry-after")).toBe("90");
    expect(await banned.json()).toMatchObject({ "violated-policies": ["ban"] });
    expect(asked).toEqual([]);
    expect((await from(route, "1.2.3.5")).status).toBe(429);
    expect(heard).toEqual(["1.2.3.5"]);
  });

  test("a refusal of the credential is no refusal by a limit", async () => {
    const heard: unknown[] = [];
    const bans = { bannedFor: () => 0, refused: (address: unknown) => void heard.push(address) };
    const { Handlers } = limited(() => 5, { bans });
    const route = Handlers.GET(() => 1, { path: "/x", requireAuth: true });
    expect((await from(route, "1.2.3.5")).status).toBe(401);
    expect(heard).toEqual([]);
  });
});

describe("several limits of one route", () => {
  const limits = [
    { requests: 5, window: "1s", cost: 2 },
    { requests: 100, window: "1d", keyGenerator: () => "all", cost: () => 7 },
  ];

  test("are decided at once, each for whom it counts and at its cost", async () => {
    const { Handlers, asked } = limited(() => 5, { namedLimits: {} });
    const handler = wrapper(limitStage(limits))(() => 1);
    await ask(Handlers.GET(handler, { path: "/x", requireAuth: false }));
    expect(asked.map(({ policy, key, cost }) => [policy.name, key, cost])).toEqual([
      ["GET /x 5/1s", "address:1.1.1.1", 2],
      ["GET /x 100/1d", "all", 7],
    ]);
  });

  test("one whose numbers are out of range refuses all", () => {
    expect(() => limitStage([...limits, { requests: 0, window: "1m" }])).toThrow(RangeError);
  });
});
