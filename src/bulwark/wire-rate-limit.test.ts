import { describe, expect, test } from "vitest";
import {
  bareKernel,
  type LimitPolicy,
  type LimitRequest,
  limitPolicy,
  type Principal,
  type RequestContext,
} from "../core/index.ts";
import { type BulwarkConfig, resolveConfig } from "./config.ts";
import { wireLimits } from "./wire-rate-limit.ts";

const wired = (config: Partial<BulwarkConfig> = {}) =>
  wireLimits(
    resolveConfig({ issuer: "https://api.example.com", emailVerification: "off", ...config }),
  );

/** What is asked of the limiter after authentication, for whoever is known then. */
function asked(
  principal: Principal | undefined,
  limits: BulwarkConfig["limits"] = {},
): readonly LimitRequest[] {
  const all: LimitRequest[] = [];
  const decide = (requests: readonly LimitRequest[]) => {
    all.push(...requests);
    return { allowed: true, retryAfterMs: 0, states: [], violated: [] };
  };
  const route = { method: "GET", path: "/x", limits: [] };
  const check = wired({ limits }).admission.bind({ ...bareKernel, limiter: { decide } }, route);
  expect(check({ principal, address: "203.0.113.7" } as RequestContext)).toBe("pass");
  return all;
}

const namesOf = (requests: readonly LimitRequest[]): string[] =>
  requests.map(({ policy, key }) => `${policy.name} ${policy.requests} ${key}`);

const user = (...roles: string[]): Principal => ({
  kind: "user",
  userId: "u1",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
});
const keyOf = (limits?: readonly LimitPolicy[]): Principal => ({
  kind: "userKey",
  userId: "u1",
  keyId: "k1",
  via: "key",
  roles: ["admin"],
  scopes: [],
  ...(limits === undefined ? {} : { limits }),
});

const roles = {
  "role:moderator": { requests: 2_000, window: "1m" },
  "role:admin": { requests: 100, window: "1s" },
  "role:guest": { requests: 10, window: "1m" },
};

describe("after authentication counts", () => {
  test.each<[who: string, principal: Principal | undefined, names: readonly string[]]>([
    ["a stranger, by address", undefined, ["anonymous 600 address:203.0.113.7"]],
    ["a user without a role that has a limit", user("user"), ["user 1200 u1"]],
    ["a role's own limit", user("user", "moderator"), ["role:moderator 2000 u1"]],
    [
      "of several the widest, by requests in a time",
      user("guest", "moderator", "admin"),
      ["role:admin 100 u1"],
    ],
    ["a narrower one in the place of the user's", user("guest"), ["role:guest 10 u1"]],
    ["a name that every object has", user("constructor", "__proto__"), ["user 1200 u1"]],
  ])("%s", (_who, principal, names) => {
    expect(namesOf(asked(principal, roles))).toEqual(names);
  });

  test("a key by its own limits, together, each of which refuses where nobody counts", () => {
    const own = [
      limitPolicy("key:burst", { requests: 5, window: "1s" }),
      limitPolicy("key:day", { requests: 100, window: "1d" }),
    ];
    const requests = asked(keyOf(own), roles);
    expect(namesOf(requests)).toEqual(["key:burst 5 key:k1", "key:day 100 key:k1"]);
    expect(requests.map(({ policy }) => policy.onFailure)).toEqual(["deny", "deny"]);
  });

  test("a key without limits of its own as its owner would, apart from them", () => {
    expect(namesOf(asked(keyOf()))).toEqual(["user 1200 key:k1"]);
  });
});

test("what stands is told with whom it counts, and a route's limit once it is defined", () => {
  const limits = wired({ limits: { global: { requests: 9, window: "1s" }, ...roles } });
  const policy = limitPolicy("GET /x 1/1m", { requests: 1, window: "1m" });
  limits.limitDefined(policy, "own");
  limits.limitDefined({ ...policy }, "principal");
  const counts = limits.standing().map((each) => `${each.policy.name}: ${each.counts}`);
  expect(counts.toSorted()).toEqual([
    "GET /x 1/1m: principal",
    "address-32: network /32",
    "address-48: network /48",
    "address: address",
    "anonymous: address",
    "global: everybody",
    "key: key",
    "login-32: network /32",
    "login-48: network /48",
    "login: address",
    "mail: recipient",
    "register-32: network /32",
    "register-48: network /48",
    "register: address",
    "role:admin: user",
    "role:guest: user",
    "role:moderator: user",
    "user: principal",
  ]);
});
