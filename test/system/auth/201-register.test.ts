import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";

const { call, reset, query } = await testApp();
beforeAll(reset);

const register = (email: string) =>
  call("POST", "/api/auth/register", { body: { email, password: PASSWORD, name: "Someone" } });

test("register answers the user, without a session or a trace of the password", async () => {
  const answer = await register("new@example.com");
  expect(answer.status).toBe(201);
  expect(answer.json["data"]).toEqual({
    user: {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      email: "new@example.com",
      name: "Someone",
      roles: ["user"],
    },
  });
  expect(answer.text).not.toContain(PASSWORD);
  expect(answer.headers.has("set-cookie")).toBe(false);
  expect(await query(sql`SELECT id FROM bulwark.sessions`)).toEqual([]);
});

test("what is stored of the password is argon2id with 19 MiB and two passes", async () => {
  const [row] = await query(sql`SELECT password_hash FROM bulwark.users LIMIT 1`);
  expect(row?.["password_hash"]).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

// GHSA-5jpx, GHSA-7rqj: an address read in one way by the validator and in another by the mailer.
test.each([
  ["Mixed@Example.COM", "mixed@example.com"],
  ["plus+tag@example.com", "plus+tag@example.com"],
  ["idn@b\u00FCcher.example", "idn@xn--bcher-kva.example"],
  ["nfd@bu\u0308cher.example", "nfd@xn--bcher-kva.example"],
])("%s is kept as %s", async (given, kept) => {
  const answer = await register(given);
  expect(dataOf<{ user: { email: string } }>(answer).user.email).toBe(kept);
});

test("a burst of 20 for one address makes one account, and the others are 409", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => register("burst@example.com")),
  );
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  expect(statuses).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  const rows = await query(sql`SELECT id FROM bulwark.users WHERE email = 'burst@example.com'`);
  expect(rows).toHaveLength(1);
});
