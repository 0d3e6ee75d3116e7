import { describe, expect, test } from "vitest";
import { BaseAPIHandler, type Principal } from "../core/index.ts";
import { requireRoles } from "./index.ts";
import { isRole, type Role } from "./roles.ts";

// Names of Object.prototype must never be a role that somebody has.
const PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

const withRoles = (roles: readonly string[]): Principal => ({
  kind: "user",
  userId: "u",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
});

/** What a route that demands the roles answers, and whether its handler ran. */
async function ask(
  principal: Principal | undefined,
  required: readonly Role[] = ["admin", "moderator"],
): Promise<[status: number, ran: boolean]> {
  let ran = false;
  class Handlers extends BaseAPIHandler {
    static override checkAuth() {
      if (principal === undefined) return { isAuthenticated: false, reason: "absent" } as const;
      return { isAuthenticated: true, principal } as const;
    }
  }
  const handler = requireRoles(...required)(() => {
    ran = true;
  });
  const policy = { path: "/", requireAuth: false, principals: ["tenantKey"] } as const;
  const { status } = await Handlers.GET(handler, policy)(new Request("http://h/"));
  return [status, ran];
}

test.each<[roles: readonly string[], required: readonly Role[], may: boolean]>([
  [["admin"], ["admin"], true],
  [["user", "moderator"], ["admin", "moderator"], true],
  [["user"], ["admin", "moderator"], false],
  // A role counts for those that it includes, and not the other way round.
  [["admin"], ["moderator"], true],
  [["admin"], ["user"], true],
  [["moderator"], ["admin"], false],
  [["Admin"], ["admin"], false],
  [["admin "], ["admin"], false],
  [["admin,user"], ["admin"], false],
  [[], ["admin"], false],
  [PROTOTYPE, ["admin"], false],
])("roles %j for %j: %s", async (roles, required, may) => {
  expect(await ask(withRoles(roles), required)).toEqual([may ? 200 : 403, may]);
});

test.each(["user", "moderator", "admin"])("%s is a role", (name) =>
  expect(isRole(name)).toBe(true),
);

test.each([...PROTOTYPE, "", "root", "ADMIN", null, undefined, 0, ["admin"]])(
  "%j is no role",
  (name) => {
    expect(isRole(name)).toBe(false);
  },
);

describe("requireRoles", () => {
  test.each<[what: string, principal: Principal | undefined, status: number]>([
    ["an admin", withRoles(["user", "admin"]), 200],
    ["a moderator", withRoles(["moderator"]), 200],
    ["a user", withRoles(["user"]), 403],
    ["one without a role", withRoles([]), 403],
    ["one with a prototype's names", withRoles(PROTOTYPE), 403],
    [
      "a tenant's key, which has no roles",
      { kind: "tenantKey", tenantId: "t", keyId: "k", via: "key", scopes: ["admin"] },
      403,
    ],
    ["nobody", undefined, 401],
  ])("answers %s", async (_what, principal, status) => {
    expect(await ask(principal)).toEqual([status, status === 200]);
  });

  test.each<[required: readonly string[], came: string]>([
    [[], "nothing"],
    [["root"], "root"],
    [["admin", "constructor"], "constructor"],
    [["__proto__"], "__proto__"],
    [[""], ""],
  ])("%j does not start", (required, came) => {
    const make = (): unknown => requireRoles(...(required as Role[]));
    expect(make).toThrow(TypeError);
    expect(make).toThrow(`requireRoles: expected some of user, moderator, admin, came ${came}`);
  });

  test("says what it demands, and runs only in a route", () => {
    const wrapped = requireRoles("admin")(() => 1);
    expect(() => wrapped({} as never)).toThrow(
      "requireRoles(...): a wrapped handler runs only in a route",
    );
    class Handlers extends BaseAPIHandler {
      static override checkAuth() {
        return { isAuthenticated: false, reason: "absent" } as const;
      }
    }
    const route = Handlers.GET(wrapped, { path: "/", requireAuth: true });
    expect(route.policies).toContainEqual({ name: "requireRoles", options: ["admin"] });
  });
});
