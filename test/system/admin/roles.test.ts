import { beforeEach, describe, expect, test } from "vitest";
import { type Account, type Answer, dataOf, PASSWORD, testApp } from "../../support/app.ts";

const { bulwark, call, clock, reset, signUp } = await testApp();

let admin: string;
let person: Account;
beforeEach(async () => {
  await reset();
  admin = (await signUp(["user", "admin"])).token;
  person = await signUp();
});

const HOUR = 3_600_000;
const as = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  call(method, path, { token, body });
const signIn = async (): Promise<string> => {
  const signedIn = await bulwark.auth.login({ email: person.email, password: PASSWORD }, {});
  if (signedIn.mode !== "token") throw new Error("expected tokens");
  return signedIn.accessToken;
};
const LAMP = { name: "Lamp", price: 1, category: "home" };
const makeLamp = async (token: string): Promise<string> =>
  dataOf<{ id: string }>(await as(token, "POST", "/api/products", LAMP)).id;

test("a role that is given for an hour opens what it opens for an hour", async () => {
  const lamp = await makeLamp(admin);
  expect((await as(person.token, "DELETE", `/api/products/${lamp}`)).status).toBe(403);
  const path = `/api/admin/users/${person.id}/role-assignments`;
  const given = await as(admin, "POST", path, { role: "moderator", expiresIn: "30m" });
  expect(given.status).toBe(201);
  expect(dataOf(given)).toMatchObject({ role: "moderator", userId: person.id, tenantId: null });
  expect((await as(person.token, "GET", "/api/auth/me")).status).toBe(401);
  const token = await signIn();
  expect((await as(token, "DELETE", `/api/products/${lamp}`)).status).toBe(200);
  const other = await makeLamp(admin);
  clock.advance(HOUR / 2);
  expect((await as(token, "DELETE", `/api/products/${other}`)).status).toBe(403);
  expect(dataOf(await as(admin, "GET", path))).toEqual([]);
});

test("a role is made, changed, given, taken and removed", async () => {
  const made = await as(admin, "POST", "/api/admin/roles", {
    name: "editor",
    permissions: ["products:write"],
  });
  expect(made.status).toBe(201);
  const { id } = dataOf<{ id: string }>(made);
  expect(dataOf<unknown[]>(await as(admin, "GET", "/api/admin/roles"))).toHaveLength(1);
  const path = `/api/admin/users/${person.id}/role-assignments`;
  expect((await as(admin, "POST", path, { role: "editor" })).status).toBe(201);
  const me = await as(await signIn(), "GET", "/api/auth/me");
  expect(me.status).toBe(200);
  const changed = await as(admin, "PATCH", `/api/admin/roles/${id}`, { description: "edits" });
  expect(dataOf(changed)).toMatchObject({ description: "edits", permissions: ["products:write"] });
  expect((await as(admin, "DELETE", `${path}/editor`)).status).toBe(200);
  expect((await as(admin, "DELETE", `${path}/editor`)).status).toBe(404);
  expect((await as(admin, "DELETE", `/api/admin/roles/${id}`)).status).toBe(200);
  expect((await as(admin, "DELETE", `/api/admin/roles/${id}`)).status).toBe(404);
});

describe("refused with the field that is wrong", () => {
  test.each<[body: object]>([
    [{ name: "admin", permissions: [] }],
    [{ name: "constructor", permissions: [] }],
    [{ name: "editor", permissions: ["products:fly"] }],
    [{ name: "editor", permissions: ["__proto__"] }],
    [{ name: "editor", permissions: [], userId: "x" }],
    [{ permissions: [] }],
  ])("%j", async (body) => {
    expect((await as(admin, "POST", "/api/admin/roles", body)).status).toBe(400);
    expect(dataOf(await as(admin, "GET", "/api/admin/roles"))).toEqual([]);
  });

  test.each<[body: object, status: number]>([
    [{ role: "root" }, 404],
    [{ role: "toString" }, 404],
    [{ role: "moderator", expiresIn: "soon" }, 400],
    [{ role: "moderator", tenantId: "01a20cea-0000-7000-8000-000000000001" }, 404],
    [{}, 400],
  ])("an assignment of %j: %i", async (body, status) => {
    const path = `/api/admin/users/${person.id}/role-assignments`;
    expect((await as(admin, "POST", path, body)).status).toBe(status);
    expect(dataOf(await as(admin, "GET", path))).toEqual([]);
  });
});

describe("tenants", () => {
  const make = async (name: string): Promise<string> =>
    dataOf<{ id: string }>(await as(admin, "POST", "/api/admin/tenants", { name })).id;

  test("take people in, who act in one at a time", async () => {
    const [a, b] = [await make("A"), await make("B")];
    for (const id of [a, b]) {
      const path = `/api/admin/tenants/${id}/members`;
      expect((await as(admin, "POST", path, { userId: person.id })).status).toBe(201);
      clock.advance(1);
    }
    const role = { role: "moderator", tenantId: b };
    await as(admin, "POST", `/api/admin/users/${person.id}/role-assignments`, role);
    const token = await signIn();
    expect(dataOf(await as(token, "GET", "/api/auth/tenants"))).toEqual([
      { id: a, name: "A", current: true },
      { id: b, name: "B", current: false },
    ]);
    const lamp = await makeLamp(admin);
    expect((await as(token, "DELETE", `/api/products/${lamp}`)).status).toBe(403);
    const switched = await as(token, "POST", "/api/auth/tenants/switch", { tenantId: b });
    expect(switched.status).toBe(200);
    const { accessToken } = dataOf<{ accessToken: string }>(switched);
    expect((await as(token, "GET", "/api/auth/me")).status).toBe(401);
    expect((await as(accessToken, "DELETE", `/api/products/${lamp}`)).status).toBe(200);
    const out = await as(admin, "DELETE", `/api/admin/tenants/${b}/members/${person.id}`);
    expect(out.status).toBe(200);
    expect((await as(accessToken, "GET", "/api/auth/me")).status).toBe(401);
  });

  test.each([
    ["another's", async () => make("C")],
    ["one that is not there", async () => "01a20cea-0000-7000-8000-000000000001"],
    ["no id", async () => "nonsense"],
  ])("nobody acts in %s", async (_what, tenant) => {
    const body = { tenantId: await tenant() };
    const { status } = await as(person.token, "POST", "/api/auth/tenants/switch", body);
    expect(status).toBe(404);
    expect((await as(person.token, "GET", "/api/auth/me")).status).toBe(200);
  });

  test("are renamed, listed and removed", async () => {
    const id = await make("A");
    expect((await as(admin, "PATCH", `/api/admin/tenants/${id}`, { name: "Z" })).status).toBe(200);
    expect(dataOf(await as(admin, "GET", "/api/admin/tenants"))).toMatchObject([{ name: "Z" }]);
    expect((await as(admin, "GET", `/api/admin/tenants/${id}/members`)).status).toBe(200);
    expect((await as(admin, "DELETE", `/api/admin/tenants/${id}`)).status).toBe(200);
    expect((await as(admin, "GET", `/api/admin/tenants/${id}/members`)).status).toBe(404);
  });
});
