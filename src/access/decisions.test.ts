import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ForbiddenError, NotFoundError, type Principal } from "../core/index.ts";
import {
  allOf,
  anyOf,
  can,
  cannot,
  defineAccess,
  equals,
  inTenant,
  isIn,
  not,
  ownedBy,
} from "./index.ts";

// The decision on one object, as a specification.

const access = defineAccess({
  permissions: ["docs:read", "docs:write"],
  roles: {
    user: { permissions: ["docs:read"] },
    editor: { includes: ["user"], permissions: ["docs:write"] },
    admin: { includes: ["editor"] },
  },
  subjects: {
    doc: {
      actions: ["read", "update", "delete", "publish", "archive"],
      fields: ["id", "ownerId", "teamId", "status", "at"],
    },
  },
  rules: [
    can("read", "doc", { permission: "docs:read", name: "readers" }),
    can("update", "doc", { permission: "docs:write", where: ownedBy("ownerId"), name: "owners" }),
    can("update", "doc", { roles: ["admin"], name: "admins" }),
    cannot("update", "doc", {
      where: equals("status", "locked"),
      exceptRoles: ["admin"],
      name: "locked",
    }),
    can("delete", "doc", { where: allOf(ownedBy("ownerId"), not(isIn("status", ["sold", null]))) }),
    can("publish", "doc", {
      roles: ["user"],
      where: anyOf(inTenant("teamId"), equals("at", new Date(0))),
    }),
    cannot("publish", "doc", { roles: ["editor"] }),
  ],
});

const user = (
  roles: readonly string[],
  facts: { permissions?: string[]; tenantId?: string } = {},
): Principal => ({
  kind: "user",
  userId: "u",
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
  ...facts,
});
const key = (scopes: readonly string[], roles: readonly string[]): Principal => ({
  kind: "userKey",
  userId: "u",
  keyId: "k",
  via: "key",
  scopes,
  roles,
});
const tenantKey: Principal = {
  kind: "tenantKey",
  tenantId: "t",
  keyId: "k",
  via: "key",
  scopes: ["docs:read", "docs:write"],
};

const OWN = { id: "1", ownerId: "u", status: "new" };
type Action = "read" | "update" | "delete" | "publish" | "archive";

test.each<
  [
    who: string,
    principal: Principal | undefined,
    action: Action,
    object: object | undefined,
    may: boolean,
  ]
>([
  ["nobody", undefined, "read", OWN, false],
  ["a user", user(["user"]), "read", OWN, true],
  ["a user, of any object", user(["user"]), "read", undefined, true],
  ["one without a role", user([]), "read", OWN, false],
  [
    "one with the permission of a role made at run time",
    user([], { permissions: ["docs:read"] }),
    "read",
    OWN,
    true,
  ],
  [
    "one with a permission that is not known",
    user([], { permissions: ["docs:sign"] }),
    "read",
    OWN,
    false,
  ],
  ["anybody, where no rule is", user(["admin"]), "archive", OWN, false],

  ["the owner", user(["editor"]), "update", OWN, true],
  ["the owner without the permission", user(["user"]), "update", OWN, false],
  ["another", user(["editor"]), "update", { ...OWN, ownerId: "v" }, false],
  ["of what nobody owns, another", user(["editor"]), "update", { ...OWN, ownerId: null }, false],
  ["of what nobody owns, an admin", user(["admin"]), "update", { ...OWN, ownerId: null }, true],
  [
    "another, of an object that says it by its list",
    user(["editor"]),
    "update",
    { ...OWN, ownerId: ["u"] },
    false,
  ],
  [
    "another, of an object that says it by toString",
    user(["editor"]),
    "update",
    { ...OWN, ownerId: { toString: () => "u" } },
    false,
  ],
  [
    "the owner, of an object that does not tell its owner",
    user(["editor"]),
    "update",
    { status: "new" },
    false,
  ],
  [
    "the owner, of an object that does not tell its status",
    user(["editor"]),
    "update",
    { ownerId: "u" },
    false,
  ],
  ["the owner, without an object", user(["editor"]), "update", undefined, false],
  ["the owner of what is locked", user(["editor"]), "update", { ...OWN, status: "locked" }, false],
  ["an admin, of what is locked", user(["admin"]), "update", { ...OWN, status: "locked" }, true],
  [
    "the owner, by a prototype",
    user(["editor"]),
    "update",
    Object.create({ ownerId: "u", status: "new" }) as object,
    false,
  ],

  ["a user without roles, of their own", user([]), "delete", OWN, true],
  ["a user, of what is sold", user([]), "delete", { ...OWN, status: "sold" }, false],
  ["a user, of what has no status", user([]), "delete", { ...OWN, status: null }, false],
  ["a user, of what does not tell its status", user([]), "delete", { ownerId: "u" }, false],

  ["a member", user(["user"], { tenantId: "t" }), "publish", { teamId: "t" }, true],
  ["one of another tenant", user(["user"], { tenantId: "t" }), "publish", { teamId: "s" }, false],
  ["one of no tenant, of what has none", user(["user"]), "publish", { teamId: undefined }, false],
  ["one of no tenant, of what has null", user(["user"]), "publish", { teamId: null }, false],
  ["a user, by a date", user(["user"]), "publish", { teamId: "s", at: new Date(0) }, true],
  ["a user, by a date's number", user(["user"]), "publish", { teamId: "s", at: 0 }, false],
  [
    "an editor, to whom it is denied",
    user(["editor"], { tenantId: "t" }),
    "publish",
    { teamId: "t" },
    false,
  ],
  [
    "an admin, who includes an editor",
    user(["admin"], { tenantId: "t" }),
    "publish",
    { teamId: "t" },
    false,
  ],

  ["a key with the scope", key(["docs:read"], ["user"]), "read", OWN, true],
  ["a key without", key(["docs:write"], ["admin"]), "read", OWN, false],
  ["a key whose owner may not", key(["docs:write"], ["user"]), "update", OWN, false],
  ["a key with the scope, of its owner's", key(["docs:write"], ["editor"]), "update", OWN, true],
  [
    "a key with the scope, of another's",
    key(["docs:write"], ["editor"]),
    "update",
    { ...OWN, ownerId: "v" },
    false,
  ],
  [
    "a key, by its owner's role alone",
    key(["docs:read", "docs:write"], ["admin"]),
    "update",
    { ...OWN, ownerId: "v" },
    false,
  ],
  [
    "a key, by what every user may",
    key(["docs:read", "docs:write"], ["admin"]),
    "delete",
    OWN,
    false,
  ],
  ["a tenant's key with the scope", tenantKey, "read", OWN, true],
  ["a tenant's key, which owns nothing", tenantKey, "update", { ...OWN, ownerId: "t" }, false],
])("%s: %#", (_who, principal, action, object, may) => {
  expect(access.can(principal, action, "doc", object)).toBe(may);
  expect(access.explain(principal, action, "doc", object).allowed).toBe(may);
});

test.each(["__proto__", "constructor", "toString", "rules"])(
  "%s is no subject and no action",
  (name) => {
    const admin = user(["admin"]);
    expect(access.can(admin, "read", name as "doc", OWN)).toBe(false);
    expect(access.can(admin, name as "read", "doc", OWN)).toBe(false);
  },
);

test("a polluted prototype owns nothing", () => {
  const prototype = Object.prototype as { ownerId?: string };
  prototype.ownerId = "u";
  try {
    expect(access.can(user(["editor"]), "update", "doc", { status: "new" })).toBe(false);
  } finally {
    delete prototype.ownerId;
  }
});

const HOSTILE: readonly [what: string, object: () => object][] = [
  [
    "whose getter throws",
    () =>
      Object.defineProperty({ status: "new" }, "ownerId", {
        get: () => {
          throw new Error("no");
        },
      }),
  ],
  [
    "that is a proxy which throws",
    () => new Proxy({}, { has: fail, get: fail, getOwnPropertyDescriptor: fail, ownKeys: fail }),
  ],
  [
    "that is a revoked proxy",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
];
function fail(): never {
  throw new Error("no");
}

describe.each(HOSTILE)("an object %s", (_what, make) => {
  test("is denied, and no decision throws", () => {
    const who = user(["editor"]);
    expect(access.can(who, "update", "doc", make())).toBe(false);
    expect(access.explain(who, "update", "doc", make())).toMatchObject({
      allowed: false,
      because: ["The object could not be read."],
    });
    expect(access.readable(who, "doc", make() as { id: string })).not.toHaveProperty("ownerId");
    const act = (): unknown =>
      access.assert({ principal: who }, "update", "doc", make(), { secret: true });
    expect(act).toThrow(ForbiddenError);
  });
});

describe("explain", () => {
  const why = (principal: Principal | undefined, action: Action, object?: object) =>
    access.explain(principal, action, "doc", object);

  test("names the rule that decided", () => {
    expect(why(user(["editor"]), "update", OWN)).toEqual({
      allowed: true,
      rule: "owners",
      because: [
        "The permission docs:write is held by a user with editor, and the rule is about the object.",
      ],
    });
    expect(why(user(["editor"]), "update", { ...OWN, status: "locked" })).toEqual({
      allowed: false,
      rule: "locked",
      because: ["A denial wins over all that allows."],
    });
  });

  test("says of each rule why it did not allow", () => {
    expect(why(user(["editor"]), "update", { ...OWN, ownerId: "v" })).toEqual({
      allowed: false,
      rule: undefined,
      because: [
        '"owners" is not about this object.',
        '"admins" is not about a user with editor.',
        "What no rule allows is denied.",
      ],
    });
    expect(why(user([]), "archive").because).toEqual(["No rule is about archive on doc."]);
    expect(why(undefined, "read").because).toEqual(["Nobody is signed in."]);
  });

  test("makes a sentence of a rule without a name", () => {
    expect(why(user([]), "delete", OWN).rule).toBe(
      `everyone may delete doc where ownerId is the user's id and status is not one of "sold", empty`,
    );
    expect(why(user(["editor"]), "publish", {}).rule).toBe("editor may not publish doc");
  });
});

test("it decides as a naive reading of the same rules does", () => {
  const principal = fc.record({
    roles: fc.subarray(["user", "editor", "admin", "gone"]),
    tenantId: fc.constantFrom("t", undefined),
  });
  const object = fc.record(
    {
      ownerId: fc.constantFrom("u", "v", null),
      teamId: fc.constantFrom("t", "s", null),
      status: fc.constantFrom("new", "sold", "locked", null),
    },
    { requiredKeys: ["ownerId", "teamId", "status"] },
  );
  fc.assert(
    fc.property(principal, object, ({ roles, tenantId }, doc) => {
      const who = user(roles, tenantId === undefined ? {} : { tenantId });
      const isAdmin = roles.includes("admin");
      const isEditor = isAdmin || roles.includes("editor");
      const isUser = isEditor || roles.includes("user");
      const isOwn = doc.ownerId === "u";
      const expected = {
        read: isUser,
        update: (isAdmin || (isEditor && isOwn)) && (isAdmin || doc.status !== "locked"),
        delete: isOwn && doc.status !== "sold" && doc.status !== null,
        publish: isUser && !isEditor && tenantId !== undefined && doc.teamId === tenantId,
      };
      for (const [action, may] of Object.entries(expected)) {
        expect(access.can(who, action as Action, "doc", { ...doc, at: null }), action).toBe(may);
      }
    }),
  );
});

test("couldEver is about what could be, and opens nothing", () => {
  expect(access.couldEver(user(["editor"]), "update", "doc")).toBe(true);
  expect(access.couldEver(user(["user"]), "update", "doc")).toBe(false);
  expect(access.couldEver(user(["editor"]), "publish", "doc")).toBe(false);
  expect(access.couldEver(undefined, "delete", "doc")).toBe(false);
});

test.each<
  [
    what: string,
    object: object | undefined,
    secret: boolean,
    error: typeof NotFoundError | typeof ForbiddenError | undefined,
  ]
>([
  ["what is there and may be changed", OWN, true, undefined],
  ["what is not there", undefined, false, NotFoundError],
  ["what may be seen and not changed", { ...OWN, ownerId: "v" }, false, ForbiddenError],
  ["what may be seen, though others are secret", { ...OWN, ownerId: "v" }, true, ForbiddenError],
])("assert on %s", (_what, object, secret, error) => {
  const act = (): unknown =>
    access.assert({ principal: user(["editor"]) }, "update", "doc", object, { secret });
  if (error === undefined) expect(act()).toBe(object);
  else expect(act).toThrow(error);
});

test("assert answers 404 for what may not even be read, where that it exists is a secret", () => {
  const stranger = { principal: user([]) };
  const act = (secret: boolean) => () => access.assert(stranger, "update", "doc", OWN, { secret });
  expect(act(true)).toThrow(NotFoundError);
  expect(act(false)).toThrow(ForbiddenError);
  // The two refusals of a secret are alike, whether it is there or not.
  expect(act(true)).toThrow("Doc not found.");
  expect(() => access.assert(stranger, "update", "doc", null)).toThrow("Doc not found.");
});
