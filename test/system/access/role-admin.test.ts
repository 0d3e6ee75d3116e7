import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import type { By, RoleAdmin, RoleView } from "../../../src/access/index.ts";
import {
  ConflictError,
  ForbiddenError,
  NotFoundError,
  ValidationError,
} from "../../../src/core/index.ts";
import { type Account, testApp } from "../../support/app.ts";
import { asUser, eventsOf, principalOf, services, signIn } from "./support.ts";

const app = await testApp();
const { clock, query, reset, signUp } = app;
const HOUR = 3_600_000;
const NOBODY = "01a20cea-0000-7000-8000-0000000000ff";

const { changed, roles, tenants } = services(app);
let admin: Account;
let person: Account;
let byAdmin: By;
beforeEach(async () => {
  await reset();
  changed.length = 0;
  admin = await signUp(["admin"]);
  person = await signUp(["user"]);
  byAdmin = await asUser(app, admin);
});

const inAnHour = (): Date => new Date(clock.now() + HOUR);
const make = (permissions: readonly string[] = ["docs:read"], name = "writer"): Promise<RoleView> =>
  roles.createRole({ name, permissions }, "system");
const countOf = async (table: string): Promise<number> =>
  Number((await query(sql.raw(`SELECT count(*)::int AS n FROM bulwark.${table}`)))[0]?.["n"]);

/** Moments later, so that what happened first is known. */
async function then<T>(done: Promise<T>): Promise<T> {
  const result = await done;
  clock.advance(1);
  return result;
}

describe("a role made at run time", () => {
  test("is made, changed, given, taken and deleted, and each of it is in the audit log", async () => {
    const role = await then(
      roles.createRole(
        {
          name: "writer",
          permissions: ["docs:write", "docs:read", "docs:read"],
          description: " Writes ",
        },
        byAdmin,
      ),
    );
    expect(role).toMatchObject({
      name: "writer",
      tenantId: null,
      description: "Writes",
      permissions: ["docs:read", "docs:write"],
    });
    await then(roles.updateRole(role.id, { permissions: ["docs:write"] }, byAdmin));
    const expiresAt = inAnHour();
    const key = { userId: person.id, role: "writer" };
    expect(await then(roles.assign({ ...key, expiresAt }, byAdmin))).toEqual({
      ...key,
      tenantId: null,
      expiresAt: expiresAt.toISOString(),
      grantedBy: admin.id,
    });
    await then(roles.unassign(key, byAdmin));
    await then(roles.assign(key, "system"));
    await then(roles.deleteRole(role.id, byAdmin));
    expect(await roles.listRoles()).toEqual([]);
    expect(await roles.assignmentsOf(person.id)).toEqual([]);
    const base = { name: "writer", tenantId: null };
    const given = { role: "writer", tenantId: null };
    const of = `role:${role.id}`;
    const to = `user:${person.id}`;
    expect(await eventsOf(app, "access.role")).toEqual([
      ["access.role.create", admin.id, of, { ...base, permissions: ["docs:read", "docs:write"] }],
      [
        "access.role.update",
        admin.id,
        of,
        { ...base, before: role.permissions, permissions: ["docs:write"] },
      ],
      ["access.role.assign", admin.id, to, { ...given, expiresAt: expiresAt.toISOString() }],
      ["access.role.unassign", admin.id, to, given],
      ["access.role.assign", null, to, { ...given, expiresAt: null }],
      ["access.role.delete", admin.id, of, { ...base, permissions: ["docs:write"], holders: 1 }],
    ]);
  });

  test("shows in the next session of who has it, until it expires", async () => {
    await make(["docs:write"]);
    await roles.assign({ userId: person.id, role: "writer", expiresAt: inAnHour() }, byAdmin);
    const token = await signIn(app, person);
    expect(await principalOf(app, token)).toMatchObject({
      roles: ["user", "writer"],
      permissions: ["docs:write"],
    });
    clock.advance(HOUR - 1);
    expect(await principalOf(app, await signIn(app, person))).toMatchObject({
      permissions: ["docs:write"],
    });
    clock.advance(1);
    expect(await principalOf(app, await signIn(app, person))).toMatchObject({
      roles: ["user"],
      permissions: [],
    });
    expect(await roles.assignmentsOf(person.id)).toEqual([]);
    expect(await roles.dropExpired()).toBe(1);
  });

  test.each<[what: string, change: (role: RoleView) => Promise<unknown>]>([
    ["changed", (role) => roles.updateRole(role.id, { permissions: [] }, byAdmin)],
    ["deleted", (role) => roles.deleteRole(role.id, byAdmin)],
    ["taken", () => roles.unassign({ userId: person.id, role: "writer" }, byAdmin)],
    [
      "given for another time",
      () => roles.assign({ userId: person.id, role: "writer", expiresAt: inAnHour() }, byAdmin),
    ],
  ])("that is %s signs out who has it, and nobody else", async (_what, change) => {
    const role = await make();
    await roles.assign({ userId: person.id, role: "writer" }, byAdmin);
    const other = await signUp(["user"]);
    const token = await signIn(app, person);
    changed.length = 0;
    await change(role);
    expect(await principalOf(app, token)).toBeUndefined();
    expect(await principalOf(app, other.token)).toBeDefined();
    expect(changed).toEqual([person.id]);
  });

  test("is named and filled by what the model knows", async () => {
    const names = [
      "admin",
      "user",
      "__proto__",
      "constructor",
      "toString",
      "Writer",
      "",
      "a b",
      "x".repeat(65),
    ];
    for (const name of names) {
      const asked = roles.createRole({ name, permissions: [] }, "system");
      await expect(asked, name).rejects.toThrow(ValidationError);
    }
    for (const permission of ["docs:sign", "*", "__proto__", "constructor", "docs:read\0"]) {
      const asked = roles.createRole({ name: "writer", permissions: [permission] }, "system");
      await expect(asked, permission).rejects.toThrow(ValidationError);
    }
    const asked = roles.createRole(
      { name: "writer", permissions: [], description: "a\0b" },
      "system",
    );
    await expect(asked).rejects.toThrow(ValidationError);
    expect(await countOf("roles")).toBe(0);
    expect(await eventsOf(app, "access.role")).toEqual([]);
  });

  test("has its name to itself, also in a burst", async () => {
    const tenant = await tenants.create({ name: "A" }, "system");
    const made = await Promise.allSettled(Array.from({ length: 20 }, () => make()));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of made)
      if (each.status === "rejected") expect(each.reason).toBeInstanceOf(ConflictError);
    const again = roles.createRole(
      { name: "writer", permissions: [], tenantId: tenant.id },
      "system",
    );
    await expect(again).rejects.toThrow(ConflictError);
  });

  test("whose name the code takes later is told", async () => {
    await query(sql`INSERT INTO bulwark.roles (id, name, permissions, created_at, updated_at)
      VALUES (gen_random_uuid(), 'auditor', '{}', now(), now())`);
    expect((await roles.shadowed()).map(({ name }) => name)).toEqual(["auditor"]);
  });

  test("that was deleted comes back to nobody when its name does", async () => {
    const role = await make();
    const bursts = Array.from({ length: 10 }, () =>
      roles.assign({ userId: person.id, role: "writer" }, "system"),
    );
    await Promise.allSettled([...bursts, roles.deleteRole(role.id, "system"), ...bursts]);
    await make(["docs:delete"]);
    expect(await roles.assignmentsOf(person.id)).toEqual([]);
  });
});

describe("nobody gives what they do not hold", () => {
  const editor = async (): Promise<[By, Account]> => {
    const account = await signUp(["editor"]);
    return [await asUser(app, account), account];
  };

  test.each<
    [
      what: string,
      ask: (service: RoleAdmin, by: By, role: RoleView) => Promise<unknown>,
      may: boolean,
    ]
  >([
    [
      "makes a role within their own",
      (s, by) => s.createRole({ name: "r", permissions: ["docs:write"] }, by),
      true,
    ],
    [
      "makes a role beyond",
      (s, by) => s.createRole({ name: "r", permissions: ["docs:delete"] }, by),
      false,
    ],
    [
      "widens a role beyond",
      (s, by, { id }) => s.updateRole(id, { permissions: ["docs:read", "docs:delete"] }, by),
      false,
    ],
    ["narrows a role within", (s, by, { id }) => s.updateRole(id, { permissions: [] }, by), true],
    [
      "gives a role from code that they hold",
      (s, by) => s.assign({ userId: person.id, role: "editor" }, by),
      true,
    ],
    [
      "gives one that theirs includes",
      (s, by) => s.assign({ userId: person.id, role: "user" }, by),
      true,
    ],
    [
      "gives one that they do not hold",
      (s, by) => s.assign({ userId: person.id, role: "admin" }, by),
      false,
    ],
    [
      "gives one without permissions, which rules may ask for",
      (s, by) => s.assign({ userId: person.id, role: "auditor" }, by),
      false,
    ],
    [
      "gives a role made at run time within",
      (s, by) => s.assign({ userId: person.id, role: "writer" }, by),
      true,
    ],
    [
      "acts as one who is not signed in",
      (s) => s.createRole({ name: "r", permissions: [] }, {}),
      false,
    ],
  ])("an editor %s: %#", async (_what, ask, may) => {
    const role = await make(["docs:read", "docs:write"]);
    const [by] = await editor();
    const before = await countOf("audit_events");
    if (may) await ask(roles, by, role);
    else {
      await expect(ask(roles, by, role)).rejects.toThrow(ForbiddenError);
      expect(await countOf("role_assignments")).toBe(0);
      expect(await roles.listRoles()).toMatchObject([{ permissions: role.permissions }]);
      expect(await countOf("audit_events")).toBe(before);
    }
  });

  test("a role that reaches further is neither changed, deleted, given nor taken", async () => {
    const role = await make(["docs:read", "docs:delete"], "remover");
    await roles.assign({ userId: person.id, role: "remover" }, "system");
    const token = await signIn(app, person);
    const [by] = await editor();
    const key = { userId: person.id, role: "remover" };
    for (const asked of [
      () => roles.updateRole(role.id, { permissions: ["docs:read"] }, by),
      () => roles.updateRole(role.id, { description: "harmless" }, by),
      () => roles.deleteRole(role.id, by),
      () => roles.assign(key, by),
      () => roles.unassign(key, by),
      () => roles.unassign({ userId: admin.id, role: "admin" }, by),
    ]) {
      await expect(asked()).rejects.toThrow(ForbiddenError);
    }
    expect(await roles.assignmentsOf(person.id)).toHaveLength(1);
    expect(await principalOf(app, token)).toBeDefined();
  });

  test("what was lent is not passed on for longer, nor made a role of", async () => {
    await roles.assign({ userId: person.id, role: "editor", expiresAt: inAnHour() }, "system");
    const by = await asUser(app, person);
    const other = await signUp(["user"]);
    const give = (expiresAt?: Date): Promise<unknown> =>
      roles.assign({ userId: other.id, role: "editor", expiresAt }, by);
    await expect(give()).rejects.toThrow(ForbiddenError);
    await expect(give(new Date(clock.now() + HOUR))).rejects.toThrow(ForbiddenError);
    await expect(roles.assign({ userId: person.id, role: "editor" }, by)).rejects.toThrow(
      ForbiddenError,
    );
    await expect(roles.createRole({ name: "r", permissions: ["docs:write"] }, by)).rejects.toThrow(
      ForbiddenError,
    );
    await give(new Date(clock.now() + HOUR - 1));
  });

  test("rights that ended in the database give nothing, whatever the session says", async () => {
    const [by, account] = await editor();
    await query(sql`UPDATE bulwark.users SET roles = '{user}' WHERE id = ${account.id}`);
    await expect(roles.assign({ userId: person.id, role: "editor" }, by)).rejects.toThrow(
      ForbiddenError,
    );
    await query(
      sql`UPDATE bulwark.users SET roles = '{editor}', disabled_at = now() WHERE id = ${account.id}`,
    );
    await expect(roles.assign({ userId: person.id, role: "editor" }, by)).rejects.toThrow(
      ForbiddenError,
    );
  });

  test("rights that the session does not hold give nothing, whatever the database says", async () => {
    const [by, account] = await editor();
    await query(sql`UPDATE bulwark.users SET roles = '{admin}' WHERE id = ${account.id}`);
    await expect(roles.assign({ userId: person.id, role: "admin" }, by)).rejects.toThrow(
      ForbiddenError,
    );
  });

  test("two who take each other's role do not wait for each other", async () => {
    await roles.assign({ userId: admin.id, role: "auditor" }, "system");
    const second = await signUp(["admin"]);
    await roles.assign({ userId: second.id, role: "user" }, "system");
    const by = [await asUser(app, admin), await asUser(app, second)] as const;
    const both = Array.from({ length: 10 }, () => [
      roles.assign({ userId: second.id, role: "user" }, by[0]),
      roles.assign({ userId: admin.id, role: "user" }, by[1]),
    ]).flat();
    await Promise.all(both);
    expect(await roles.assignmentsOf(second.id)).toHaveLength(1);
  });
});

describe("a tenant's role", () => {
  let a: string;
  let b: string;
  beforeEach(async () => {
    [a, b] = (await Promise.all(
      ["A", "B"].map(async (name) => (await tenants.create({ name }, "system")).id),
    )) as [string, string];
    await tenants.addMember(a, person.id, "system");
  });

  test("is given to members, in it alone", async () => {
    await roles.createRole({ name: "writer", permissions: ["docs:write"], tenantId: a }, "system");
    const give = (tenantId: string | null, userId = person.id): Promise<unknown> =>
      roles.assign({ userId, role: "writer", tenantId }, "system");
    await expect(give(null)).rejects.toThrow(NotFoundError);
    await expect(give(b)).rejects.toThrow(NotFoundError);
    await expect(give(a, admin.id)).rejects.toThrow(NotFoundError);
    await expect(give(NOBODY)).rejects.toThrow(NotFoundError);
    await give(a);
    expect(await principalOf(app, await signIn(app, person))).toMatchObject({
      tenantId: a,
      permissions: ["docs:write"],
    });
    expect(await roles.listRoles({ tenantId: a })).toHaveLength(1);
    expect(await roles.listRoles({ tenantId: b })).toEqual([]);
    expect(await roles.holdersOf("writer", { tenantId: a })).toMatchObject([{ userId: person.id }]);
    expect(await roles.holdersOf("writer", { tenantId: b })).toEqual([]);
  });

  test("of one tenant is not there for another's administrator", async () => {
    const boss = await signUp(["user"]);
    await tenants.addMember(b, boss.id, "system");
    await roles.assign({ userId: boss.id, role: "admin", tenantId: b }, "system");
    const by = await asUser(app, boss);
    const role = await roles.createRole(
      { name: "remover", permissions: ["docs:delete"], tenantId: a },
      "system",
    );
    for (const asked of [
      () => roles.updateRole(role.id, { permissions: [] }, by),
      () => roles.deleteRole(role.id, by),
      () => roles.assign({ userId: person.id, role: "remover", tenantId: a }, by),
      () => roles.createRole({ name: "r", permissions: ["docs:delete"], tenantId: a }, by),
    ]) {
      await expect(asked()).rejects.toThrow(NotFoundError);
    }
    // What they are in their own tenant, they are not everywhere.
    await expect(roles.createRole({ name: "r", permissions: ["docs:delete"] }, by)).rejects.toThrow(
      ForbiddenError,
    );
    await expect(roles.assign({ userId: boss.id, role: "admin" }, by)).rejects.toThrow(
      ForbiddenError,
    );
    await roles.createRole({ name: "r", permissions: ["docs:delete"], tenantId: b }, by);
  });

  test("stands in the place of everywhere's of the same name, which takes nothing from it", async () => {
    await roles.createRole({ name: "writer", permissions: ["docs:write"], tenantId: a }, "system");
    const everywhere = await make(["docs:delete"]);
    await roles.assign({ userId: person.id, role: "writer", tenantId: a }, "system");
    await roles.deleteRole(everywhere.id, "system");
    expect(await roles.assignmentsOf(person.id)).toHaveLength(1);
    expect(await principalOf(app, await signIn(app, person))).toMatchObject({
      permissions: ["docs:write"],
    });
  });
});

test.each<[what: string, ask: () => Promise<unknown>]>([
  ["a user's", () => roles.assign({ userId: NOBODY, role: "user" }, "system")],
  ["a role's", () => roles.updateRole(NOBODY, {}, "system")],
  ["a malformed one", () => roles.deleteRole("1 OR 1=1", "system")],
  ["a name's", () => roles.assign({ userId: person.id, role: "ghost" }, "system")],
  ["a prototype's", () => roles.assign({ userId: person.id, role: "__proto__" }, "system")],
  ["an assignment's", () => roles.unassign({ userId: person.id, role: "user" }, "system")],
  ["one with NUL", () => roles.unassign({ userId: person.id, role: "a\0" }, "system")],
])("an id that is not there is told: %s", async (_what, ask) => {
  await expect(ask()).rejects.toThrow(NotFoundError);
});

test.each([new Date(0), new Date(Number.NaN), "tomorrow" as never])(
  "no role ends at %s",
  async (expiresAt) => {
    const asked = roles.assign({ userId: person.id, role: "user", expiresAt }, "system");
    await expect(asked).rejects.toThrow(ValidationError);
  },
);

test("who holds a role from code by their account is listed too", async () => {
  await roles.assign({ userId: person.id, role: "admin", expiresAt: inAnHour() }, "system");
  const holders = await roles.holdersOf("admin");
  expect(holders.map(({ userId, expiresAt }) => [userId, expiresAt])).toEqual([
    [admin.id, null],
    [person.id, inAnHour().toISOString()],
  ]);
});
