import { describe, expect, test } from "vitest";
import {
  BaseAPIHandler,
  bareKernel,
  type Handler,
  type Kernel,
  type Principal,
  type RequestContext,
  UnavailableError,
} from "../core/index.ts";
import { can, cannot, defineAccess, equals, ownedBy, type PolicyFunction } from "./index.ts";

// The same model as routes have it: 401, 403, 404, and whether the handler ran.

const define = (explainRefusals: boolean) =>
  defineAccess({
    permissions: ["docs:read", "docs:write"],
    scopes: ["reports:send"],
    roles: {
      user: { permissions: ["docs:read"] },
      editor: { includes: ["user"], permissions: ["docs:write"] },
      auditor: {},
      admin: { includes: ["editor"], permissions: "*" },
    },
    subjects: { doc: { fields: ["id", "ownerId", "status"] } },
    rules: [
      can("read", "doc", { permission: "docs:read", where: ownedBy("ownerId") }),
      can("create", "doc", { permission: "docs:write" }),
      can("update", "doc", { permission: "docs:write", where: ownedBy("ownerId") }),
      cannot("update", "doc", { where: equals("status", "locked") }),
      can("delete", "doc", { roles: ["admin"] }),
      cannot("delete", "doc", { where: equals("status", "locked") }),
    ],
    explainRefusals,
  });
const access = define(false);
const explaining = define(true);

const user = (...roles: string[]): Principal => ({
  kind: "user",
  userId: "u",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
});
const key = (roles: readonly string[], ...scopes: string[]): Principal => ({
  kind: "userKey",
  userId: "u",
  keyId: "k",
  via: "key",
  scopes,
  roles,
});
const tenantKey = (...scopes: string[]): Principal => ({
  kind: "tenantKey",
  tenantId: "t",
  keyId: "k",
  via: "key",
  scopes,
});

type Wrap = (handler: Handler<RequestContext, null>) => Handler<RequestContext, null>;

async function ask(
  wrap: Wrap,
  principal: Principal | undefined,
  kernel: Partial<Kernel & { explainRefusals: boolean }> = {},
): Promise<{ status: number; ran: boolean; error: unknown }> {
  let ran = false;
  class Handlers extends BaseAPIHandler {
    static override readonly kernel = { ...bareKernel, ...kernel };
    static override checkAuth() {
      if (principal === undefined) return { isAuthenticated: false, reason: "absent" } as const;
      return { isAuthenticated: true, principal } as const;
    }
  }
  const handler = wrap(() => {
    ran = true;
    return null;
  });
  const policy = { path: "/docs/:id", requireAuth: false, principals: ["tenantKey"] } as const;
  const response = await Handlers.GET(handler, policy)(new Request("http://h/docs/7"));
  const { error } = (await response.json()) as { error?: unknown };
  return { status: response.status, ran, error };
}

const OBJECTS: Readonly<Record<string, object>> = {
  own: { id: "1", ownerId: "u", status: "new" },
  locked: { id: "2", ownerId: "u", status: "locked" },
  foreign: { id: "3", ownerId: "v", status: "new" },
};
const update = (which: string, secret = false): Wrap =>
  access.authorize(
    { action: "update", subject: "doc" },
    { secret, object: async () => OBJECTS[which] },
  );

test.each<[who: string, wrap: Wrap, principal: Principal | undefined, status: number]>([
  ["one of the roles", access.requireRoles("editor", "auditor"), user("editor"), 200],
  ["a role that includes one", access.requireRoles("user"), user("admin"), 200],
  ["none of the roles", access.requireRoles("editor", "auditor"), user("user"), 403],
  ["a role that is included", access.requireRoles("admin"), user("editor"), 403],
  ["nobody", access.requireRoles("user"), undefined, 401],
  [
    "a key, of which no stage says that it judges keys",
    access.requireRoles("user"),
    key(["user"], "docs:read"),
    403,
  ],
  ["a tenant's key, which has no role", access.requireRoles("user"), tenantKey("user"), 403],

  ["all of the roles", access.requireAllRoles("editor", "auditor"), user("admin", "auditor"), 200],
  ["one of two roles", access.requireAllRoles("editor", "auditor"), user("admin"), 403],
  ["nobody", access.requireAllRoles("user"), undefined, 401],

  ["all permissions", access.requirePermissions("docs:read", "docs:write"), user("editor"), 200],
  [
    "one of two permissions",
    access.requirePermissions("docs:read", "docs:write"),
    user("user"),
    403,
  ],
  ["nobody", access.requirePermissions("docs:read"), undefined, 401],
  [
    "a key with scope and owner",
    access.requirePermissions("docs:write"),
    key(["editor"], "docs:write"),
    200,
  ],
  [
    "a key with the scope alone",
    access.requirePermissions("docs:write"),
    key(["user"], "docs:write"),
    403,
  ],
  [
    "a key with the owner alone",
    access.requirePermissions("docs:write"),
    key(["editor"], "docs:read"),
    403,
  ],
  [
    "a tenant's key with the scope",
    access.requirePermissions("docs:write"),
    tenantKey("docs:write"),
    200,
  ],
  ["a tenant's key without", access.requirePermissions("docs:write"), tenantKey("docs:read"), 403],

  ["a user, whom scopes do not concern", access.requireScopes("docs:write"), user(), 200],
  ["a key with the scope", access.requireScopes("docs:read"), key(["user"], "docs:read"), 200],
  [
    "a key with one of two",
    access.requireScopes("docs:read", "docs:write"),
    key(["admin"], "docs:read"),
    403,
  ],
  [
    "a key whose owner may not any more",
    access.requireScopes("docs:write"),
    key(["user"], "docs:write"),
    403,
  ],
  [
    "a key with a scope that is no permission",
    access.requireScopes("reports:send"),
    key([], "reports:send"),
    200,
  ],
  [
    "a key with prototypes' names",
    access.requireScopes("docs:read"),
    key(["admin"], "__proto__", "constructor"),
    403,
  ],
  ["nobody", access.requireScopes("docs:read"), undefined, 401],

  ["the owner", update("own"), user("editor"), 200],
  ["the owner's key", update("own"), key(["editor"], "docs:write"), 200],
  ["the owner's key without the scope", update("own"), key(["editor"], "docs:read"), 403],
  ["the owner, of what is locked", update("locked"), user("editor"), 403],
  ["another", update("foreign"), user("editor"), 403],
  ["another, where it is a secret", update("foreign", true), user("editor"), 404],
  ["the owner without the permission, who sees it", update("own", true), user("user"), 403],
  ["anybody, of what is not there", update("gone"), user("admin"), 404],
  ["nobody, of what is not there", update("gone"), undefined, 401],
  [
    "one without a condition",
    access.authorize({ action: "create", subject: "doc" }),
    user("editor"),
    200,
  ],
  [
    "a conditional denial that no object answers",
    access.authorize({ action: "delete", subject: "doc" }),
    user("admin"),
    403,
  ],
  [
    "a conditional rule that no object answers",
    access.authorize({ action: "update", subject: "doc" }),
    user("admin"),
    403,
  ],
  [
    "one rule on its object",
    access.authorize(can("update", "doc", { where: ownedBy("ownerId") }), {
      object: () => OBJECTS["own"],
    }),
    user(),
    200,
  ],
  [
    "one rule, beside a denial of the model",
    access.authorize(can("update", "doc", { where: ownedBy("ownerId") }), {
      object: () => OBJECTS["locked"],
    }),
    user(),
    403,
  ],
  [
    "one rule for a role",
    access.authorize(can("create", "doc", { roles: ["admin"] })),
    user("editor"),
    403,
  ],
])("%s: %# is answered", async (_who, wrap, principal, status) => {
  expect(await ask(wrap, principal)).toMatchObject({ status, ran: status === 200 });
});

describe("a policy function", () => {
  const thrown = new UnavailableError("the database is gone");
  test.each<[what: string, policy: PolicyFunction, status: number]>([
    ["true", () => true, 200],
    ["true, later", async () => true, 200],
    ["by the path", ({ params }) => params["id"] === "7", 200],
    ["by who acts", ({ userId }) => userId === "v", 403],
    ["false", () => false, 403],
    ["something true", (() => "yes") as never, 403],
    ["nothing", (() => undefined) as never, 403],
    ["an error as a value", (() => new Error("no")) as never, 403],
    ["pass", (() => "pass") as never, 403],
    [
      "an error that is thrown",
      () => {
        throw thrown;
      },
      403,
    ],
    [
      "an error, later",
      async () => {
        throw thrown;
      },
      403,
    ],
    [
      "a text that is thrown",
      () => {
        throw "no";
      },
      403,
    ],
  ])("that answers %s", async (_what, policy, status) => {
    const logged: unknown[] = [];
    const log = {
      info: () => {},
      warn: () => {},
      error: (facts: unknown) => void logged.push(facts),
    };
    expect(await ask(access.authorize(policy), user(), { log })).toMatchObject({
      status,
      ran: status === 200,
    });
    expect(logged).toHaveLength(_what.includes("an error,") || _what.includes("throw") ? 1 : 0);
  });

  test("is not asked for nobody, nor for a key that it did not say it judges", async () => {
    let asked = 0;
    const count: PolicyFunction = () => {
      asked += 1;
      return true;
    };
    expect(await ask(access.authorize(count), undefined)).toMatchObject({ status: 401 });
    expect(await ask(access.authorize(count), key(["admin"], "docs:read"))).toMatchObject({
      status: 403,
    });
    expect(asked).toBe(0);
    const judges = access.authorize(count, { principals: ["userKey"] });
    expect(await ask(judges, key([], "docs:read"))).toMatchObject({ status: 200 });
  });

  test("whose object cannot be read denies", async () => {
    const object = async (): Promise<object> => {
      throw thrown;
    };
    const wrap = access.authorize({ action: "update", subject: "doc" }, { object });
    expect(await ask(wrap, user("admin"))).toMatchObject({ status: 403, ran: false });
  });
});

test.each<[what: string, make: (model: typeof access) => Wrap, explained: string]>([
  ["roles", (m) => m.requireRoles("admin", "auditor"), "Required roles: admin, auditor"],
  [
    "all roles",
    (m) => m.requireAllRoles("admin", "auditor"),
    "Required roles, all of: admin, auditor",
  ],
  ["permissions", (m) => m.requirePermissions("docs:write"), "Required permissions: docs:write"],
  [
    "an action",
    (m) => m.authorize({ action: "create", subject: "doc" }),
    "Required: to create doc.",
  ],
])("a refusal says no more than is safe, unless told to: %s", async (_what, make, explained) => {
  const safe = "You may not do this.";
  expect(await ask(make(access), user("user"))).toMatchObject({ status: 403, error: safe });
  expect(await ask(make(explaining), user("user"))).toMatchObject({
    status: 403,
    error: explained,
  });
  const development = { explainRefusals: true };
  expect(await ask(make(access), user("user"), development)).toMatchObject({ error: explained });
});

test.each<[what: string, make: () => unknown, message: string]>([
  [
    "no role",
    () => access.requireRoles(),
    "requireRoles: expected some of user, editor, auditor, admin, came nothing",
  ],
  [
    "an unknown role",
    () => access.requireAllRoles("root" as never),
    "requireAllRoles: expected some of",
  ],
  [
    "no permission",
    () => access.requirePermissions(),
    "requirePermissions: expected some of docs:read, docs:write, came nothing",
  ],
  [
    "an unknown permission",
    () => access.requirePermissions("docs:sign" as never),
    "came docs:sign",
  ],
  ["a prototype's name", () => access.requirePermissions("__proto__" as never), "came __proto__"],
  ["an unknown scope", () => access.requireScopes("constructor" as never), "came constructor"],
  [
    "an unknown action",
    () => access.authorize({ action: "sign" as never, subject: "doc" }),
    "authorize: expected an action and a subject",
  ],
  [
    "a condition that nothing answers",
    () => access.authorize(can("update", "doc", { where: ownedBy("ownerId") })),
    "authorize: object: expected",
  ],
  [
    "a denial",
    () => access.authorize(cannot("update", "doc")),
    "authorize: expected a rule that allows",
  ],
  [
    "a rule of several actions",
    () => access.authorize(can(["read", "update"], "doc")),
    "authorize: expected a rule of one action",
  ],
  [
    "a rule that the model does not know",
    () => access.authorize(can("update", "file" as never) as never),
    "authorize.subject",
  ],
  [
    "an object beside a function",
    () => access.authorize(() => true, { object: () => undefined }),
    "authorize: object",
  ],
])("%s does not start", (_what, make, message) => {
  expect(make).toThrow(TypeError);
  expect(make).toThrow(message);
});

test("a route tells its policies", () => {
  class Handlers extends BaseAPIHandler {
    static override checkAuth() {
      return { isAuthenticated: false, reason: "absent" } as const;
    }
  }
  const handler = access.requirePermissions("docs:write")(
    access.authorize({ action: "create", subject: "doc" })(() => null),
  );
  const route = Handlers.POST(handler, { path: "/docs", requireAuth: true });
  expect(route.policies).toContainEqual({ name: "requirePermissions", options: ["docs:write"] });
  expect(route.policies).toContainEqual({ name: "authorize", options: { policy: "create doc" } });
});
