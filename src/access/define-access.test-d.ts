import { expectTypeOf, test } from "vitest";
import type { Authenticated, Principal, Wrapper } from "../core/index.ts";
import { can, cannot, defineAccess, equals, ownedBy } from "./index.ts";

// Unknown names do not compile. How the same names are refused at run time is in define-access.test.ts.

const access = defineAccess({
  permissions: ["products:read", "products:delete"],
  scopes: ["reports:write"],
  roles: {
    user: { permissions: ["products:read"] },
    admin: { includes: ["user"], permissions: "*" },
  },
  subjects: {
    product: { fields: ["id", "ownerId", "status"] },
    report: { actions: ["read", "sign"], fields: ["id"] },
  },
  rules: [
    can("update", "product", { roles: ["user"], where: ownedBy("ownerId") }),
    can(["read", "sign"], "report", { permission: "products:read" }),
    can("read", "product"),
    cannot("delete", "product", { exceptRoles: ["admin"], where: equals("status", "sold") }),
  ],
});
const principal = {} as Principal;
const product: object = {};

test("names are inferred, and nothing is any", () => {
  expectTypeOf(access).not.toBeAny();
  expectTypeOf(access.roles).toEqualTypeOf<readonly ("user" | "admin")[]>();
  expectTypeOf(access.permissionsOf(principal)).toEqualTypeOf<
    readonly ("products:read" | "products:delete")[]
  >();
  expectTypeOf(access.scopes[0]).toEqualTypeOf<
    "products:read" | "products:delete" | "reports:write" | undefined
  >();
  expectTypeOf(access.requireRoles("admin")).toEqualTypeOf<Wrapper<Authenticated>>();
  expectTypeOf(access.can(principal, "sign", "report")).toEqualTypeOf<boolean>();
});

test("what is readable of an object is a part of it", () => {
  const row = { id: "1", ownerId: "u", passwordHash: "x" };
  expectTypeOf(access.readable(principal, "product", row)).toEqualTypeOf<
    Partial<{ id: string; ownerId: string }>
  >();
});

test("unknown names do not compile", () => {
  // @ts-expect-error no such role
  access.requireRoles("root");
  // @ts-expect-error no such role
  access.requireAllRoles("user", "root");
  // @ts-expect-error no such permission
  access.requirePermissions("products:write");
  // @ts-expect-error no such scope
  access.requireScopes("reports:read");
  // @ts-expect-error no such subject
  access.can(principal, "read", "invoice");
  // @ts-expect-error no such action on this subject
  access.can(principal, "sign", "product");
  // @ts-expect-error no such action on this subject
  access.assert({ principal }, "update", "report", product);
  // @ts-expect-error no such action on this subject
  access.authorize({ action: "delete", subject: "report" });
  // @ts-expect-error no such field
  access.authorize(can("update", "product", { where: ownedBy("userId") }));
  // @ts-expect-error a policy answers with a boolean
  access.authorize(() => "yes");
});

test("a definition names what it defines", () => {
  defineAccess({
    permissions: ["a:b"],
    // @ts-expect-error no such permission
    roles: { user: { permissions: ["a:c"] } },
  });
  defineAccess({
    permissions: ["a:b"],
    // @ts-expect-error no such role
    roles: { user: { includes: ["guest"] } },
  });
  defineAccess({
    // @ts-expect-error resource and action
    permissions: ["delete"],
    roles: {},
  });
  const known = {
    permissions: ["a:b"],
    roles: { user: {} },
    subjects: { note: { fields: ["ownerId"] } },
  } as const;
  // @ts-expect-error no such field
  defineAccess({ ...known, rules: [can("read", "note", { where: ownedBy("userId") })] });
  // @ts-expect-error no such field
  defineAccess({ ...known, rules: [can("read", "note", { fields: ["text"] })] });
  // @ts-expect-error no such role
  defineAccess({ ...known, rules: [can("read", "note", { roles: ["root"] })] });
  // @ts-expect-error no such permission
  defineAccess({ ...known, rules: [can("read", "note", { permission: "a:c" })] });
  // @ts-expect-error no such subject
  defineAccess({ ...known, rules: [can("read", "file")] });
  // @ts-expect-error no such action
  defineAccess({ ...known, rules: [can("sign", "note")] });
});
