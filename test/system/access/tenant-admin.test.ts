import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { NotFoundError, ValidationError } from "../../../src/core/index.ts";
import { type Account, testApp } from "../../support/app.ts";
import { asUser, eventsOf, principalOf, services, signIn } from "./support.ts";

const app = await testApp();
const { clock, query, reset, signUp } = app;
const NOBODY = "01a20cea-0000-7000-8000-0000000000ff";
const PAGE = { page: 1, limit: 20 };

const { changed, roles, tenants } = services(app);
let person: Account;
beforeEach(async () => {
  await reset();
  person = await signUp(["user"]);
});

/** Moments later, so that what happened first is known. */
async function then<T>(done: Promise<T>): Promise<T> {
  const result = await done;
  clock.advance(1);
  return result;
}

test("a tenant is made, named, joined, left and deleted, and each of it is in the audit log", async () => {
  const by = await asUser(app, person);
  const tenant = await then(tenants.create({ name: "  Acme " }, by));
  expect(await then(tenants.rename(tenant.id, "Acme & Co", by))).toMatchObject({
    name: "Acme & Co",
  });
  await then(tenants.addMember(tenant.id, person.id, by));
  // Who is in it already stays, and nothing happened.
  await then(tenants.addMember(tenant.id, person.id, by));
  expect(await tenants.members(tenant.id, PAGE)).toMatchObject({
    total: 1,
    rows: [{ userId: person.id, email: person.email }],
  });
  expect(await tenants.tenantsOf(person.id)).toMatchObject([{ id: tenant.id }]);
  expect(await tenants.list(PAGE)).toMatchObject({ total: 1, rows: [{ id: tenant.id }] });
  await then(tenants.removeMember(tenant.id, person.id, by));
  await then(tenants.delete(tenant.id, by));
  const of = `tenant:${tenant.id}`;
  expect(await eventsOf(app, "access.tenant")).toEqual([
    ["access.tenant.create", person.id, of, { name: "Acme" }],
    ["access.tenant.rename", person.id, of, { name: "Acme & Co" }],
    ["access.tenant.member.add", person.id, of, { userId: person.id }],
    ["access.tenant.member.remove", person.id, of, { userId: person.id, roles: [] }],
    ["access.tenant.delete", person.id, of, { name: "Acme & Co", members: 0 }],
  ]);
});

test("who leaves is signed out of that tenant alone, and its roles do not wait for their return", async () => {
  const outside = await signIn(app, person);
  const [a, b] = [
    await tenants.create({ name: "A" }, "system"),
    await tenants.create({ name: "B" }, "system"),
  ];
  await then(tenants.addMember(a.id, person.id, "system"));
  await then(tenants.addMember(b.id, person.id, "system"));
  const inA = await signIn(app, person);
  await roles.assign({ userId: person.id, role: "editor", tenantId: b.id }, "system");
  const token = await signIn(app, person);
  await roles.assign({ userId: person.id, role: "editor", tenantId: a.id }, "system");
  const again = await signIn(app, person);
  expect(await principalOf(app, again)).toMatchObject({
    tenantId: a.id,
    roles: ["user", "editor"],
  });
  changed.length = 0;
  await then(tenants.removeMember(a.id, person.id, "system"));
  expect(changed).toEqual([person.id]);
  for (const each of [outside, inA, token, again])
    expect(await principalOf(app, each)).toBeUndefined();
  await then(tenants.addMember(a.id, person.id, "system"));
  expect((await roles.assignmentsOf(person.id)).map(({ tenantId }) => tenantId)).toEqual([b.id]);
});

test("a session in another tenant goes on", async () => {
  const [a, b] = [
    await tenants.create({ name: "A" }, "system"),
    await tenants.create({ name: "B" }, "system"),
  ];
  await then(tenants.addMember(a.id, person.id, "system"));
  await then(tenants.addMember(b.id, person.id, "system"));
  const token = await signIn(app, person);
  await then(tenants.removeMember(b.id, person.id, "system"));
  expect(await principalOf(app, token)).toMatchObject({ tenantId: a.id });
});

test("a tenant that is deleted takes its members' sessions, roles and assignments along, in a burst too", async () => {
  const tenant = await tenants.create({ name: "A" }, "system");
  const people = [person, await signUp(["user"]), await signUp(["user"])];
  for (const each of people) await tenants.addMember(tenant.id, each.id, "system");
  await roles.createRole(
    { name: "writer", permissions: ["docs:write"], tenantId: tenant.id },
    "system",
  );
  const tokens = await Promise.all(people.map((each) => signIn(app, each)));
  await Promise.allSettled([
    ...people.map((each) =>
      roles.assign({ userId: each.id, role: "writer", tenantId: tenant.id }, "system"),
    ),
    tenants.delete(tenant.id, "system"),
    ...people.map((each) => tenants.removeMember(tenant.id, each.id, "system")),
  ]);
  for (const token of tokens) expect(await principalOf(app, token)).toBeUndefined();
  const left = await query(sql`
    SELECT 1 FROM bulwark.memberships UNION ALL SELECT 1 FROM bulwark.role_assignments
    UNION ALL SELECT 1 FROM bulwark.roles UNION ALL SELECT 1 FROM bulwark.sessions WHERE tenant_id IS NOT NULL`);
  expect(left).toEqual([]);
});

test.each<[what: string, ask: (tenantId: string) => Promise<unknown>]>([
  ["rename", () => tenants.rename(NOBODY, "A", "system")],
  ["delete", () => tenants.delete(NOBODY, "system")],
  ["members", () => tenants.members(NOBODY, PAGE)],
  ["addMember to no tenant", () => tenants.addMember(NOBODY, person.id, "system")],
  ["addMember of nobody", (id) => tenants.addMember(id, NOBODY, "system")],
  ["removeMember of no member", (id) => tenants.removeMember(id, person.id, "system")],
  ["a malformed id", (id) => tenants.removeMember(id, "x' OR ''='", "system")],
])("what is not there is told: %s", async (_what, ask) => {
  const { id } = await tenants.create({ name: "A" }, "system");
  await expect(ask(id)).rejects.toThrow(NotFoundError);
});

test.each(["", "   ", "a\nb", "a\0", "x".repeat(101), 7 as never])(
  "%j is no name of a tenant",
  async (name) => {
    await expect(tenants.create({ name }, "system")).rejects.toThrow(ValidationError);
  },
);
