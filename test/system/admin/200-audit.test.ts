import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { type Answer, dataOf, PASSWORD, testApp } from "../../support/app.ts";
import { makeProduct } from "../products/support.ts";

const app = await testApp();
const { bulwark, call, clock, query, reset, signUp, adminToken } = app;
let token: string;

beforeAll(async () => {
  await reset();
  token = await adminToken();
});

interface Entry {
  readonly type: string;
  readonly userId: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const audit = (filter: Record<string, string> = {}) =>
  call("GET", `/api/admin/audit?${new URLSearchParams(filter)}`, { token });
const entriesOf = (answer: Answer) => dataOf<Entry[]>(answer);
const newest = async (filter: Record<string, string>) => entriesOf(await audit(filter))[0];

test("register, login and its failure, logout: who, from where, by which request", async () => {
  const headers = { "x-request-id": "request-1234", "user-agent": "agent/1" };
  const input = { email: "audited@example.com", password: PASSWORD, name: "Audited" };
  const registered = await call("POST", "/api/auth/register", { body: input, headers });
  const { id } = dataOf<{ user: { id: string } }>(registered).user;
  const credentials = { email: input.email, password: PASSWORD };
  const bad = { ...credentials, password: "wrong" };
  await call("POST", "/api/auth/login", { body: bad, headers });
  const login = await call("POST", "/api/auth/login", { body: credentials, headers });
  const own = dataOf<{ accessToken: string }>(login).accessToken;
  await call("POST", "/api/auth/logout", { token: own, headers });

  const common = {
    address: "127.0.0.1",
    agent: "agent/1",
    requestId: "request-1234",
    resource: `user:${id}`,
    at: new Date(clock.now()).toISOString(),
    count: 1,
  };
  expect(await newest({ type: "auth.register" })).toMatchObject({
    ...common,
    severity: "low",
    result: "success",
    userId: id,
    metadata: { roles: ["user"] },
  });
  expect(await newest({ type: "auth.login.failed" })).toMatchObject({
    ...common,
    severity: "medium",
    result: "failure",
    userId: null,
    metadata: { known: true },
  });
  expect(await newest({ type: "auth.login" })).toMatchObject({
    ...common,
    result: "success",
    userId: id,
  });
  expect(await newest({ type: "auth.logout" })).toMatchObject({
    ...common,
    result: "success",
    userId: id,
    sessionId: expect.any(String),
  });
});

test("create, update, delete and a denied access name the product and the person", async () => {
  const person = await signUp();
  const { id } = await makeProduct(app, person.token);
  const path = `/api/products/${id}`;
  await call("PATCH", path, { token: person.token, body: { price: 1 } });
  await call("DELETE", path, { token: person.token });
  await call("DELETE", path, { token });
  for (const [type, userId] of [
    ["product.create", person.id],
    ["product.update", person.id],
    ["product.delete", expect.any(String)],
  ] as const) {
    expect(await newest({ type })).toMatchObject({ userId, resource: `product:${id}` });
  }
  expect(await newest({ type: "access.denied" })).toMatchObject({
    userId: person.id,
    result: "blocked",
    resource: "/api/products/:id",
    action: "DELETE",
    metadata: { code: "FORBIDDEN", status: 403, id },
  });
});

test("a stranger's refusal is there too, and a reading of the log is not lost among them", async () => {
  await call("GET", "/api/admin/audit");
  expect(await newest({ type: "access.denied" })).toMatchObject({
    userId: null,
    resource: "/api/admin/audit",
    metadata: { code: "UNAUTHORIZED", status: 401 },
  });
});

test("a stranger's refusals past the tenth of a minute share one counted row, and none is lost", async () => {
  clock.advance(60_000);
  const since = new Date(clock.now()).toISOString();
  await Promise.all(Array.from({ length: 40 }, () => call("GET", "/api/products")));
  const rows = dataOf<{ count: number }[]>(await audit({ type: "access.denied", from: since }));
  expect(rows).toHaveLength(11);
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(40);
});

test("200 changes at once are 200 rows with 200 sequence numbers", async () => {
  const { token: own, id } = await signUp();
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      call("POST", "/api/products", {
        token: own,
        body: { name: `n${index}`, price: 1, category: "burst" },
      }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  const rows = await query(sql`
    SELECT seq, resource FROM bulwark.audit_events
    WHERE type = 'product.create' AND user_id = ${id}`);
  expect(new Set(rows.map((row) => row["seq"])).size).toBe(200);
  const made = answers.map((answer) => `product:${dataOf<{ id: string }>(answer).id}`);
  expect(rows.map((row) => String(row["resource"])).sort()).toEqual(made.sort());
});

test("the newest come first, by page, each once", async () => {
  const all = dataOf<{ seq: number }[]>(await audit({ limit: "100" })).map(({ seq }) => seq);
  expect(all).toEqual([...all].sort((a, b) => b - a));
  const pages = await Promise.all(["1", "2"].map((page) => audit({ page, limit: "10" })));
  const seqs = pages.flatMap((page) => dataOf<{ seq: number }[]>(page).map(({ seq }) => seq));
  expect(seqs).toEqual(all.slice(0, 20));
});

test("filters by type, person and time hold together", async () => {
  const person = await signUp();
  clock.advance(5_000);
  const from = new Date(clock.now()).toISOString();
  await makeProduct(app, person.token);
  clock.advance(1_000);
  const to = new Date(clock.now()).toISOString();
  await makeProduct(app, person.token);
  const types = async (filter: Record<string, string>) =>
    entriesOf(await audit({ userId: person.id, ...filter })).map(({ type }) => type);
  expect(await types({})).toEqual([
    "product.create",
    "product.create",
    "auth.login",
    "auth.register",
  ]);
  expect(await types({ type: "product.create" })).toHaveLength(2);
  expect(await types({ from })).toHaveLength(2);
  expect(await types({ from, to })).toHaveLength(1);
  expect(await types({ to, type: "product.create" })).toHaveLength(1);
  expect(await types({ to: from, type: "product.create" })).toHaveLength(0);
  expect(await types({ from: from.replace("Z", "+00:00"), to })).toHaveLength(1);
});

test("what a request says of itself is cut and cleaned, one event stays one row", async () => {
  const agent = `a${"x".repeat(3_000)}`;
  await call("GET", "/api/auth/me", { headers: { "user-agent": agent } });
  const row = (await newest({ type: "access.denied" })) as unknown as { agent: string };
  expect(row.agent).toBe(agent.slice(0, 1_024));
});

test("an event of a transaction that rolls back is not there, and neither is the change", async () => {
  const event = { type: "test.rollback", severity: "low", result: "success" } as const;
  const failing = bulwark.database.transaction(async (tx) => {
    await tx.execute(sql`UPDATE bulwark.users SET name = 'changed'`);
    await bulwark.audit.logSecurityEvent(event, {}, tx);
    throw new TypeError("the change fails");
  });
  await expect(failing).rejects.toThrow("the change fails");
  expect(await newest({ type: "test.rollback" })).toBeUndefined();
  expect(await query(sql`SELECT id FROM bulwark.users WHERE name = 'changed'`)).toEqual([]);
});

test("a change whose audit row cannot be written does not happen", async () => {
  const person = await signUp();
  await query(sql`ALTER TABLE bulwark.audit_events RENAME TO audit_events_away`);
  try {
    const body = { name: "Unseen", price: 1, category: "c" };
    const answer = await call("POST", "/api/products", { token: person.token, body });
    expect(answer.status).toBe(500);
    const account = { email: "unseen@example.com", password: PASSWORD, name: "Unseen" };
    expect((await call("POST", "/api/auth/register", { body: account })).status).toBe(500);
  } finally {
    await query(sql`ALTER TABLE bulwark.audit_events_away RENAME TO audit_events`);
  }
  expect(await query(sql`SELECT id FROM reference.products WHERE name = 'Unseen'`)).toEqual([]);
  expect(await query(sql`SELECT id FROM bulwark.users WHERE name = 'Unseen'`)).toEqual([]);
});

test("inside a transaction an event without it is a programmer's error", async () => {
  const event = { type: "test.outside", severity: "low", result: "success" } as const;
  const wrong = bulwark.database.transaction(() => bulwark.audit.logSecurityEvent(event, {}));
  await expect(wrong).rejects.toThrow("hand over the transaction");
});
