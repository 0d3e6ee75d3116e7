import { expect, test } from "vitest";
import type { ErrorCode } from "./error-codes.ts";
import { BaseAPIError } from "./errors.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel } from "./kernel.ts";
import type { AuthResult, Principal } from "./principal.ts";
import { wrapper } from "./stage.ts";

const user: Principal = {
  kind: "user",
  userId: "u1",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles: [],
};
const key: Principal = { ...user, kind: "userKey", keyId: "k", via: "key", scopes: [] } as never;
const tenant: Principal = { kind: "tenantKey", tenantId: "t", keyId: "k", via: "key", scopes: [] };

/** A handler class on a kernel that is bare but for what a test says. */
const handlersOn = (kernel: Partial<Kernel>): typeof BaseAPIHandler =>
  class extends BaseAPIHandler {
    static override readonly kernel = { ...bareKernel, ...kernel };
  };

const get = (init: RequestInit = {}): Request => new Request("http://h/x", init);

const absent: AuthResult = { isAuthenticated: false, reason: "absent" };
const refused: AuthResult = { isAuthenticated: false, reason: "refused" };
const as = (principal: unknown): AuthResult => ({
  isAuthenticated: true,
  principal: principal as Principal,
});
const fails = (error: unknown) => (): AuthResult => {
  throw error;
};

interface Row {
  readonly result: AuthResult | (() => AuthResult);
  readonly requireAuth: boolean;
  readonly principals?: readonly Principal["kind"][];
  /** Kinds that a stage of the route admits. */
  readonly admitted?: readonly Principal["kind"][];
  readonly status: number;
  readonly code?: ErrorCode;
  readonly challenge?: string;
}

const INVALID = 'Bearer error="invalid_token"';
const expired: AuthResult = { ...refused, code: "TOKEN_EXPIRED" };
const several: AuthResult = { ...refused, code: "INVALID_REQUEST" };
test.each<[what: string, row: Row]>([
  ["a user", { result: as(user), requireAuth: true, status: 200 }],
  ["nobody, where all may", { result: absent, requireAuth: false, status: 200 }],
  [
    "nobody",
    { result: absent, requireAuth: true, status: 401, code: "UNAUTHORIZED", challenge: "Bearer" },
  ],
  [
    "a bad credential",
    { result: refused, requireAuth: true, status: 401, code: "UNAUTHORIZED", challenge: INVALID },
  ],
  [
    "a bad credential, where all may",
    {
      result: refused,
      requireAuth: false,
      status: 401,
      code: "UNAUTHORIZED",
      challenge: INVALID,
    },
  ],
  [
    "an expired token",
    {
      result: expired,
      requireAuth: false,
      status: 401,
      code: "TOKEN_EXPIRED",
      challenge: INVALID,
    },
  ],
  [
    "two credentials",
    { result: several, requireAuth: false, status: 400, code: "INVALID_REQUEST" },
  ],
  ["a tenant's key", { result: as(tenant), requireAuth: true, status: 403, code: "FORBIDDEN" }],
  ["a user's key", { result: as(key), requireAuth: true, status: 403, code: "FORBIDDEN" }],
  ["a user's key, on an open route", { result: as(key), requireAuth: false, status: 403 }],
  [
    "a user's key, where listed",
    { result: as(key), requireAuth: true, principals: ["userKey"], status: 200 },
  ],
  [
    "a tenant's key, where listed",
    { result: as(tenant), requireAuth: true, principals: ["tenantKey"], status: 200 },
  ],
  [
    "another kind, where one is listed",
    { result: as(tenant), requireAuth: true, principals: ["userKey"], status: 403 },
  ],
  [
    "a key without a user's id, where listed by a stage alone",
    { result: as(tenant), requireAuth: true, admitted: ["tenantKey"], status: 401 },
  ],
  [
    "a user's key, where a stage admits it",
    { result: as(key), requireAuth: true, admitted: ["userKey"], status: 200 },
  ],
  [
    "a user without an id",
    { result: as({ ...user, userId: undefined }), requireAuth: true, status: 401 },
  ],
  [
    "a user with an empty id",
    { result: as({ ...user, userId: "" }), requireAuth: true, status: 401 },
  ],
  ["no principal at all", { result: as(undefined), requireAuth: true, status: 500 }],
  [
    "an authenticator that answers nothing",
    { result: undefined as never, requireAuth: false, status: 500 },
  ],
  [
    "a store that is gone",
    {
      result: fails(new Error("ECONNREFUSED")),
      requireAuth: false,
      status: 503,
      code: "SERVICE_UNAVAILABLE",
    },
  ],
  [
    "a refusal of its own",
    {
      result: fails(new BaseAPIError("FORBIDDEN", "m")),
      requireAuth: true,
      status: 403,
      code: "FORBIDDEN",
    },
  ],
])("%s", async (_what, row) => {
  const { result, requireAuth, principals, admitted, status, code, challenge } = row;
  for (const later of [false, true]) {
    let ran = false;
    const answer = (): AuthResult => (typeof result === "function" ? result() : result);
    const handlers = handlersOn({ authenticate: later ? async () => answer() : answer });
    const policy = { path: "/x", requireAuth, principals };
    const handler = (): void => {
      ran = true;
    };
    const judge = wrapper({
      phase: "authorize",
      policy: { name: "judge", options: admitted },
      principals: admitted,
      bind: () => () => "pass",
    });
    const route = handlers.GET(admitted === undefined ? handler : judge(handler), policy);
    const response = await route(get());
    expect(response.status).toBe(status);
    expect(ran).toBe(status === 200);
    if (code !== undefined) expect(await response.json()).toMatchObject({ code });
    if (challenge !== undefined) expect(response.headers.get("www-authenticate")).toBe(challenge);
    if (status === 503) expect(response.headers.get("retry-after")).toBe("5");
  }
});
