import { beforeAll, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../support/app.ts";

const { call, reset, bulwark } = await testApp();
beforeAll(reset);

test("the first admin, a user, a product, a refusal, a sign-out and the audit rows of all of it", async () => {
  const admin = { email: "admin@example.com", password: "correct horse battery staple", name: "A" };
  const token = await bulwark.firstAdmin.issue();
  const setup = await call("POST", "/setup", { body: { token, ...admin } });
  expect(setup.status).toBe(201);

  const user = { email: "user@example.com", password: PASSWORD, name: "User" };
  expect((await call("POST", "/api/auth/register", { body: user })).status).toBe(201);
  const tokenOf = async ({ email, password }: { email: string; password: string }) => {
    const login = await call("POST", "/api/auth/login", { body: { email, password } });
    expect(login.status).toBe(200);
    return dataOf<{ accessToken: string }>(login).accessToken;
  };
  const userToken = await tokenOf(user);
  const adminToken = await tokenOf(admin);

  const me = await call("GET", "/api/auth/me", { token: userToken });
  expect(me.status).toBe(200);
  expect(me.json["data"]).toMatchObject({ email: "user@example.com", roles: ["user"] });

  const product = { name: "Lamp", price: 9.99, category: "home" };
  const made = await call("POST", "/api/products", { token: userToken, body: product });
  expect(made.status).toBe(201);
  const path = `/api/products/${dataOf<{ id: string }>(made).id}`;
  expect((await call("DELETE", path, { token: userToken })).status).toBe(403);
  expect((await call("DELETE", path, { token: adminToken })).status).toBe(200);
  expect((await call("GET", path, { token: userToken })).status).toBe(404);

  expect((await call("POST", "/api/auth/logout", { token: userToken })).status).toBe(200);
  expect((await call("GET", "/api/auth/me", { token: userToken })).status).toBe(401);

  const audit = await call("GET", "/api/admin/audit", { token: adminToken });
  expect(audit.status).toBe(200);
  expect(dataOf<{ type: string }[]>(audit).map(({ type }) => type)).toEqual([
    "access.denied",
    "auth.logout",
    "product.delete",
    "access.denied",
    "product.create",
    "auth.login",
    "auth.login",
    "auth.register",
    "auth.register",
  ]);
});
