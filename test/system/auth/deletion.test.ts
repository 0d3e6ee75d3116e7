import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { type Account, type Answer, dataOf, testApp } from "../../support/app.ts";
import { countOf, login } from "./support.ts";

const app = await testApp();
const { bulwark, call, clock, query, reset, signUp } = app;
beforeEach(reset);

const DAY = 86_400_000;
const remove = ({ token }: Account): Promise<Answer> => call("DELETE", "/api/auth/me", { token });
const enter = ({ email, password }: Account): Promise<Answer> => login(app, { email, password });
const rowOf = ({ id }: Account) => query(sql`SELECT delete_at FROM bulwark.users WHERE id = ${id}`);

test("a deletion says when, and ends all sessions", async () => {
  const account = await signUp();
  const second = await enter(account);
  const answer = await remove(account);
  expect(answer.status).toBe(202);
  expect(dataOf(answer)).toEqual({ deleteAt: new Date(clock.now() + 30 * DAY).toISOString() });
  for (const token of [account.token, dataOf<{ accessToken: string }>(second).accessToken]) {
    expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
  }
  expect(await countOf(app, "sessions")).toBe(0);
});

test("signing in before then takes it back", async () => {
  const account = await signUp();
  await remove(account);
  clock.advance(30 * DAY - 1);
  await bulwark.sweep();
  expect((await enter(account)).status).toBe(200);
  expect(await rowOf(account)).toEqual([{ delete_at: null }]);
  clock.advance(DAY);
  await bulwark.sweep();
  expect(await rowOf(account)).toHaveLength(1);
});

test("a wrong password does not", async () => {
  const account = await signUp();
  await remove(account);
  expect((await enter({ ...account, password: "wrong" })).status).toBe(401);
  expect(await rowOf(account)).not.toEqual([{ delete_at: null }]);
});

test("after 30 days it is gone, with all that hung on it, and the refusal is that of a stranger", async () => {
  const [account, other] = [await signUp(), await signUp()];
  await remove(account);
  clock.advance(30 * DAY);
  await bulwark.sweep();
  expect(await rowOf(account)).toEqual([]);
  expect(await rowOf(other)).toHaveLength(1);
  const gone = await enter(account);
  const stranger = await enter({ ...account, email: "nobody@example.com" });
  expect([gone.status, gone.json["code"], gone.json["message"]]).toEqual([
    stranger.status,
    stranger.json["code"],
    stranger.json["message"],
  ]);
  expect(gone.status).toBe(401);
});

test("a sign-in at the same time as the sweep either keeps the account or is refused", async () => {
  const account = await signUp();
  await remove(account);
  clock.advance(30 * DAY);
  const answers = await Promise.all([enter(account), bulwark.sweep()]);
  const rows = await rowOf(account);
  expect(answers[0].status === 200).toBe(rows.length === 1);
});
