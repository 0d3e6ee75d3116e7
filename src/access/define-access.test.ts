import { describe, expect, test } from "vitest";
import type { Principal } from "../core/index.ts";
import { can, cannot, defineAccess, equals, ownedBy } from "./index.ts";

// What a model refuses to be made of, and what principals hold in one that was.

const PROTOTYPE = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

const access = defineAccess({
  permissions: ["docs:read", "docs:write", "docs:delete"],
  scopes: ["reports:send"],
  roles: {
    guest: {},
    user: { includes: ["guest"], permissions: ["docs:read"] },
    editor: { includes: ["user"], permissions: ["docs:write"] },
    admin: { includes: ["editor"], permissions: "*" },
  },
});

const user = (roles: readonly string[], permissions?: readonly string[]): Principal => ({
  kind: "user",
  userId: "u",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
  permissions,
});
const key = (
  scopes: readonly string[],
  roles: readonly string[],
  permissions?: readonly string[],
): Principal => ({
  kind: "userKey",
  userId: "u",
  keyId: "k",
  via: "key",
  scopes,
  roles,
  permissions,
});
const tenantKey = (scopes: readonly string[]): Principal => ({
  kind: "tenantKey",
  tenantId: "t",
  keyId: "k",
  via: "key",
  scopes,
});

test.each<[who: string, principal: Principal, holds: readonly string[]]>([
  ["a user", user(["user"]), ["docs:read"]],
  ["one whose role includes another", user(["editor"]), ["docs:read", "docs:write"]],
  ["an admin", user(["admin"]), ["docs:read", "docs:write", "docs:delete"]],
  ["one without a role", user([]), []],
  ["one with a role that is not there", user(["root", "Admin", "admin "]), []],
  ["one with prototypes' names for roles", user(PROTOTYPE), []],
  [
    "one with a permission of a role made at run time",
    user(["user"], ["docs:delete"]),
    ["docs:read", "docs:delete"],
  ],
  [
    "one with permissions that the model does not know",
    user([], ["docs:sign", "*", ...PROTOTYPE]),
    [],
  ],
  ["a key with a scope that its owner may", key(["docs:read"], ["admin"]), ["docs:read"]],
  [
    "a key with a scope above its owner",
    key(["docs:read", "docs:delete"], ["user"]),
    ["docs:read"],
  ],
  ["a key without scopes", key([], ["admin"]), []],
  ["a key whose owner has no role any more", key(["docs:read"], []), []],
  [
    "a key whose owner has a role made at run time",
    key(["docs:write"], [], ["docs:write"]),
    ["docs:write"],
  ],
  [
    "a key with scopes that are no permissions",
    key(["reports:send", "docs:sign", ...PROTOTYPE], ["admin"]),
    [],
  ],
  ["a tenant's key", tenantKey(["docs:write", "docs:sign"]), ["docs:write"]],
])("%s holds %j", (_who, principal, holds) => {
  expect(access.permissionsOf(principal)).toEqual(holds);
});

test.each<[who: string, principal: Principal, roles: readonly string[]]>([
  ["a user", user(["editor"]), ["editor", "user", "guest"]],
  ["one with a role made at run time", user(["user", "writer"]), ["user", "guest", "writer"]],
  ["a key", key([], ["user"]), ["user", "guest"]],
  ["a tenant's key", tenantKey(["admin"]), []],
])("%s has the roles %j", (_who, principal, roles) => {
  expect(access.rolesOf(principal)).toEqual(roles);
});

test("a key may have the scopes within what its owner holds, and those that are no permissions", () => {
  expect(access.scopesFor({ roles: ["user"] })).toEqual(["docs:read", "reports:send"]);
  expect(access.scopesFor({ roles: [], permissions: ["docs:delete"] })).toEqual([
    "docs:delete",
    "reports:send",
  ]);
  expect(access.permissionsOfRoles({ roles: ["editor"] })).toEqual(["docs:read", "docs:write"]);
});

test("names are told from others", () => {
  expect([access.isRole("admin"), access.isPermission("docs:read")]).toEqual([true, true]);
  for (const name of [...PROTOTYPE, "", "root", null, undefined, 0, ["admin"]]) {
    expect([access.isRole(name), access.isPermission(name)]).toEqual([false, false]);
  }
});

describe("a definition is refused", () => {
  const subjects = { doc: { fields: ["id", "ownerId"] } };
  const withRule = (rule: unknown): unknown => ({
    permissions: ["docs:read"],
    roles: { user: {} },
    subjects,
    rules: [rule],
  });
  // A literal would set the prototype and define no role.
  const protoRole = JSON.parse('{"__proto__": {}}') as unknown;

  test.each<[what: string, definition: unknown, message: string]>([
    [
      "two that include each other",
      { permissions: [], roles: { a: { includes: ["b"] }, b: { includes: ["a"] } } },
      "roles: expected no role to include itself, came a includes b includes a",
    ],
    [
      "one that includes itself",
      { permissions: [], roles: { a: { includes: ["a"] } } },
      "came a includes a",
    ],
    [
      "a longer cycle behind a role",
      {
        permissions: [],
        roles: {
          z: { includes: ["a"] },
          a: { includes: ["b"] },
          b: { includes: ["c"] },
          c: { includes: ["a"] },
        },
      },
      "came a includes b includes c includes a",
    ],
    [
      "an unknown role",
      { permissions: [], roles: { a: { includes: ["b"] } } },
      'roles.a.includes: expected some of a, came "b"',
    ],
    [
      "a prototype's name as included role",
      { permissions: [], roles: { a: { includes: ["toString"] } } },
      "roles.a.includes",
    ],
    [
      "an unknown permission",
      { permissions: ["docs:read"], roles: { a: { permissions: ["docs:write"] } } },
      'roles.a.permissions: expected permissions of the model, came "docs:write"',
    ],
    [
      "a role's name in capitals",
      { permissions: [], roles: { Admin: {} } },
      'roles: expected a name such as moderator, came "Admin"',
    ],
    [
      "a prototype's name as role",
      { permissions: [], roles: { constructor: {} } },
      '"constructor"',
    ],
    ["__proto__ as role", { permissions: [], roles: protoRole }, '"__proto__"'],
    [
      "a permission without an action",
      { permissions: ["docs"], roles: {} },
      'permissions[0]: expected a name such as products:delete, once, came "docs"',
    ],
    ["a permission in capitals", { permissions: ["docs:Read"], roles: {} }, "permissions[0]"],
    [
      "a permission with a prototype's name",
      { permissions: ["docs:constructor"], roles: {} },
      "permissions[0]",
    ],
    ["a permission twice", { permissions: ["a:b", "a:b"], roles: {} }, "permissions[1]"],
    ["a malformed scope", { permissions: [], roles: {}, scopes: ["*"] }, "scopes[0]"],
    [
      "a field of a prototype's name",
      { permissions: [], roles: {}, subjects: { doc: { fields: ["__proto__"] } } },
      "subjects.doc.fields",
    ],
    [
      "a rule about an unknown subject",
      withRule(can("read", "file")),
      'rules[0].subject: expected some of doc, came "file"',
    ],
    ["a rule about a prototype's subject", withRule(can("read", "toString")), "rules[0].subject"],
    [
      "a rule about an unknown action",
      withRule(can("sign", "doc")),
      'rules[0].actions: expected some of create, read, update, delete, came "sign"',
    ],
    ["a rule about no action", withRule(can([], "doc")), "rules[0].actions"],
    [
      "a rule for an unknown role",
      withRule(can("read", "doc", { roles: ["root"] })),
      "rules[0].roles",
    ],
    [
      "a rule for an unknown permission",
      withRule(can("read", "doc", { permission: "docs:write" })),
      "rules[0].permission",
    ],
    [
      "a rule for a role and a permission",
      withRule(can("read", "doc", { roles: ["user"], permission: "docs:read" })),
      "rules[0].permission: expected alone",
    ],
    [
      "a rule with an unknown field",
      withRule(can("read", "doc", { fields: ["text"] })),
      'rules[0]: expected fields of doc (id, ownerId), came "text"',
    ],
    [
      "a condition on an unknown field",
      withRule(cannot("read", "doc", { where: equals("text", 1) })),
      'came "text"',
    ],
    [
      "a condition that is none",
      withRule(can("read", "doc", { where: { kind: "toString" } as never })),
      "where: expected a condition",
    ],
    [
      "a denial for a permission",
      withRule({ ...can("read", "doc", { permission: "docs:read" }), effect: "deny" }),
      "rules[0].permission",
    ],
    [
      "a rule that neither allows nor denies",
      withRule({ ...can("read", "doc"), effect: "maybe" }),
      "rules[0].effect",
    ],
  ])("%s", (_what, definition, message) => {
    const make = (): unknown => defineAccess(definition as Parameters<typeof defineAccess>[0]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  test.each<[what: string, make: () => unknown]>([
    ["NaN", () => equals("id", Number.NaN)],
    ["infinity", () => equals("id", Number.POSITIVE_INFINITY)],
    ["a date that is none", () => equals("id", new Date("x"))],
    ["an object", () => equals("id", {} as never)],
    ["undefined", () => equals("id", undefined as never)],
    ["a field that is a path", () => ownedBy("owner.id")],
    ["a prototype's field", () => ownedBy("constructor")],
  ])("a condition on %s", (_what, make) => {
    expect(make).toThrow(TypeError);
  });
});
