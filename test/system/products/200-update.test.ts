import { beforeAll, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { makeProduct } from "./support.ts";

const app = await testApp();
const { call, clock, reset, signUp, adminToken } = app;
beforeAll(reset);

test("the owner changes what is named, and the time of the change", async () => {
  const { token } = await signUp();
  const made = await makeProduct(app, token, { description: "old" });
  clock.advance(1_000);
  const path = `/api/products/${made.id}`;
  const answer = await call("PATCH", path, { token, body: { price: 1 } });
  expect(answer.status).toBe(200);
  const changed = { ...made, price: 1, updatedAt: new Date(clock.now()).toISOString() };
  expect(answer.json["data"]).toEqual(changed);
  expect((await call("GET", path, { token })).json["data"]).toEqual(changed);
});

test("an admin changes it and the owner stays", async () => {
  const owner = await signUp();
  const made = await makeProduct(app, owner.token);
  const token = await adminToken();
  const answer = await call("PATCH", `/api/products/${made.id}`, { token, body: { name: "New" } });
  expect(answer.status).toBe(200);
  expect(answer.json["data"]).toMatchObject({ name: "New", ownerId: owner.id });
});

test.each(["admin", "moderator"])("DELETE by a %s is 200, once", async (role) => {
  const owner = await signUp();
  const made = await makeProduct(app, owner.token);
  const { token } = await signUp(["user", role]);
  const path = `/api/products/${made.id}`;
  expect((await call("DELETE", path, { token })).status).toBe(200);
  expect((await call("DELETE", path, { token })).status).toBe(404);
  expect((await call("GET", path, { token })).status).toBe(404);
});

test("20 deletes at once are one delete", async () => {
  const token = await adminToken();
  const { id } = await makeProduct(app, token);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call("DELETE", `/api/products/${id}`, { token })),
  );
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 404)]);
});
