import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { type Account, type Answer, PASSWORD, testApp } from "../../support/app.ts";

const { call, reset, signUp, query } = await testApp();
let person: Account;
let disabled: Account;

beforeAll(async () => {
  await reset();
  person = await signUp();
  disabled = await signUp();
  await query(sql`UPDATE bulwark.users SET disabled_at = now() WHERE id = ${disabled.id}`);
});

/** An answer without what names one request: ids and times. */
const shapeOf = (answer: Answer) => ({
  status: answer.status,
  names: [...answer.headers.keys()].sort(),
  body: answer.text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>"),
});

test("unknown, wrong, disabled and no address at all are refused alike", async () => {
  const attempts = [
    { email: person.email, password: "not the password of it" },
    { email: "nobody@example.com", password: PASSWORD },
    { email: disabled.email, password: PASSWORD },
    { email: disabled.email, password: "not the password of it" },
    { email: "no address", password: PASSWORD },
    { email: person.email, password: "" },
    { email: person.email, password: "x".repeat(1_000) },
    { email: person.email, password: "with NUL \0 in it here" },
  ];
  const shapes: ReturnType<typeof shapeOf>[] = [];
  for (const body of attempts)
    shapes.push(shapeOf(await call("POST", "/api/auth/login", { body })));
  expect(shapes[0]?.status).toBe(401);
  expect(shapes[0]?.body).toContain('"code":"INVALID_CREDENTIALS"');
  for (const shape of shapes) expect(shape).toEqual(shapes[0]);
});

test("a failed login leaves a row that says whose it was, and no session", async () => {
  const before = await query(sql`SELECT id FROM bulwark.sessions`);
  const body = { email: person.email, password: "not the password of it" };
  await call("POST", "/api/auth/login", { body });
  const [row] = await query(sql`SELECT * FROM bulwark.audit_events ORDER BY seq DESC LIMIT 1`);
  expect(row).toMatchObject({
    type: "auth.login.failed",
    result: "failure",
    resource: `user:${person.id}`,
    user_id: null,
  });
  expect(await query(sql`SELECT id FROM bulwark.sessions`)).toEqual(before);
});

// Okta 2024: bcrypt ignored what follows byte 72.
test("two passwords of 100 bytes that differ in the last one are two passwords", async () => {
  const long = `${"correct horse battery staple ".repeat(4).slice(0, 99)}`;
  const account = { email: "long@example.com", name: "Long", password: `${long}a` };
  expect((await call("POST", "/api/auth/register", { body: account })).status).toBe(201);
  const login = (password: string) =>
    call("POST", "/api/auth/login", { body: { email: account.email, password } });
  expect((await login(`${long}b`)).status).toBe(401);
  expect((await login(`${long}a`)).status).toBe(200);
});
