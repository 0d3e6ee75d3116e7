import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { dataOf, testApp } from "../../support/app.ts";
import { login, withTotp } from "./support.ts";

const app = await testApp();
beforeEach(app.reset);

test("an export holds what is stored of this user, and nothing that authenticates", async () => {
  const other = await app.signUp();
  const account = await withTotp(app);
  account.next();
  await login(app, { email: account.email, password: account.password });
  const input = { name: "nightly", scopes: [] };
  const { id, key } = await app.bulwark.apiKeys.create(
    input,
    { userId: account.id },
    undefined,
    {},
  );
  const answer = await app.call("POST", "/api/auth/me/export", { token: account.token });
  expect(answer.status).toBe(200);
  expect(dataOf<object>(answer)).toMatchObject({
    account: { id: account.id, email: account.email, hasPassword: true },
    apiKeys: [{ id, name: "nightly", scopes: [] }],
  });
  expect(dataOf<{ sessions: object[] }>(answer).sessions).toHaveLength(1);
  expect(answer.text).not.toContain(other.email);
  expect(answer.text).not.toContain(other.id);
  expect(answer.text).not.toMatch(/argon2|hash"|secret|token":|"code"/i);
  for (const secret of [key.slice(32), account.password, account.token, ...account.recoveryCodes]) {
    expect(answer.text).not.toContain(secret);
  }
  const secrets = await app.query(sql`
    SELECT password_hash AS secret FROM bulwark.users WHERE password_hash IS NOT NULL`);
  expect(secrets).toHaveLength(2);
  for (const { secret } of secrets) expect(answer.text).not.toContain(String(secret));
});

test("nobody has none", async () => {
  expect((await app.call("POST", "/api/auth/me/export")).status).toBe(401);
});
