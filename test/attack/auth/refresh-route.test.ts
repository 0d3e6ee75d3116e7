import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";

const { call, clock, query, reset, signUp } = await testApp();
beforeEach(reset);

const GRACE = 10_000;
const HOUR = 3_600_000;

interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
}
const login = async (): Promise<Pair> => {
  const { email } = await signUp();
  return dataOf(await call("POST", "/api/auth/login", { body: { email, password: PASSWORD } }));
};
const exchange = (refreshToken: string) =>
  call("POST", "/api/auth/refresh", { body: { refreshToken } });
const me = async (token: string) => (await call("GET", "/api/auth/me", { token })).status;

test("POST /api/auth/refresh answers a new pair, whose access token is good, and sets no cookie", async () => {
  const pair = await login();
  clock.advance(1_000);
  const answer = await exchange(pair.refreshToken);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.has("set-cookie")).toBe(false);
  const next = dataOf<Pair>(answer);
  expect(Object.keys(next).sort()).toEqual(["accessToken", "expiresIn", "refreshToken"]);
  expect(next.accessToken).not.toBe(pair.accessToken);
  expect(next.refreshToken).not.toBe(pair.refreshToken);
  expect([await me(pair.accessToken), await me(next.accessToken)]).toEqual([200, 200]);
});

test("20 times at once gives one successor", async () => {
  const { refreshToken } = await login();
  const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(refreshToken)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const successors = new Set(answers.map((answer) => dataOf<Pair>(answer).refreshToken));
  expect(successors.size).toBe(1);
  expect((await exchange([...successors][0] ?? "")).status).toBe(200);
});

test("with a token that was used before is 401, and so is everything of its session then", async () => {
  const { refreshToken } = await login();
  const next = dataOf<Pair>(await exchange(refreshToken));
  clock.advance(GRACE);
  const answer = await exchange(refreshToken);
  expect([answer.status, answer.json["code"]]).toEqual([401, "UNAUTHORIZED"]);
  expect(await me(next.accessToken)).toBe(401);
  expect((await exchange(next.refreshToken)).status).toBe(401);
  const events = await query(
    sql`SELECT 1 FROM bulwark.audit_events WHERE type = 'auth.refresh.reused'`,
  );
  expect(events).toHaveLength(1);
});

test("looks alike for a token that was used, that is over, and that never was", async () => {
  const { refreshToken } = await login();
  await exchange(refreshToken);
  clock.advance(GRACE);
  const used = await exchange(refreshToken);
  const over = await exchange(refreshToken);
  const never = await exchange(refreshToken.replace(".1.", ".2."));
  const bodies = [used, over, never].map(({ json: { error, code, statusCode } }) => ({
    error,
    code,
    statusCode,
  }));
  expect(bodies[1]).toEqual(bodies[0]);
  expect(bodies[2]).toEqual(bodies[0]);
});

test("after a logout, or an hour without use, is 401", async () => {
  const [left, idle] = [await login(), await login()];
  await call("POST", "/api/auth/logout", { token: left.accessToken });
  expect((await exchange(left.refreshToken)).status).toBe(401);
  clock.advance(HOUR);
  expect((await exchange(idle.refreshToken)).status).toBe(401);
});

test("keeps a session alive that is used, to its absolute end and no longer", async () => {
  let { refreshToken } = await login();
  const lastSeen = async (): Promise<number> => {
    const [row] = await query(sql`
      SELECT (extract(epoch FROM max(last_seen_at)) * 1000)::float8 AS at FROM bulwark.sessions`);
    return Number(row?.["at"]);
  };
  for (let hours = 0; hours < 11.75; hours += 0.25) {
    clock.advance(HOUR / 4);
    const answer = await exchange(refreshToken);
    expect([hours, answer.status]).toEqual([hours, 200]);
    ({ refreshToken } = dataOf<Pair>(answer));
    // That a session was seen is written beside the request: time goes on when it is there.
    await expect.poll(lastSeen, { timeout: 10_000 }).toBe(clock.now());
  }
  clock.advance(HOUR / 4);
  expect((await exchange(refreshToken)).status).toBe(401);
});

test.each([
  ["no token", {}],
  ["a number", { refreshToken: 1 }],
  ["a list", { refreshToken: ["brt_"] }],
  ["a further member", { refreshToken: "brt_", userId: "someone" }],
  ["10,000 characters", { refreshToken: "b".repeat(10_000) }],
])("with %s is 400", async (_name, body) => {
  expect((await call("POST", "/api/auth/refresh", { body })).status).toBe(400);
});
