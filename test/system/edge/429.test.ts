import { beforeEach, expect, test } from "vitest";
import { type Answer, PASSWORD, testApp } from "../../support/app.ts";
import { makeProduct } from "../products/support.ts";
import { expectRefusal } from "./support.ts";

const app = await testApp();
const { call, clock, reset, signUp } = app;
beforeEach(reset);

/** Redis decides on its own clock, which no test moves or stops: what is exact to one request is told in memory here, and of Redis in ../rate-limit. */
const inMemory = test.skipIf(process.env["BULWARK_TEST_STORE"] === "postgres");

/** A login that is refused before any password is hashed still counts. */
const login = (headers: Record<string, string> = {}): Promise<Answer> =>
  call("POST", "/api/auth/login", { body: {}, headers });

const burst = (count: number, act: () => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, act));

const statusesOf = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

inMemory("of 200 logins at once 100 are heard and 100 are 429", async () => {
  const answers = await burst(200, login);
  expect(statusesOf(answers)).toEqual({ 400: 100, 429: 100 });
  const refused = answers.find(({ status }) => status === 429) as Answer;
  expectRefusal(refused, 429, "RATE_LIMIT_EXCEEDED");
  expect(refused.json["violated-policies"]).toEqual(["login"]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(refused.headers.get("x-ratelimit-limit")).toBe("100");
  expect(refused.headers.get("x-ratelimit-remaining")).toBe("0");
});

inMemory(
  "the 429 of a client that asks for problem+json is one, and names the policy",
  async () => {
    await burst(100, login);
    const answer = await login({ accept: "application/problem+json" });
    expect(answer.status).toBe(429);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json).toMatchObject({
      type: "urn:bulwark:error:rate-limit-exceeded",
      status: 429,
      code: "RATE_LIMIT_EXCEEDED",
      "violated-policies": ["login"],
    });
  },
);

inMemory("no window lets more through than the limit and what was refilled", async () => {
  let heard = 0;
  for (let step = 0; step < 12; step += 1) {
    const answers = await burst(20, login);
    heard += answers.filter(({ status }) => status === 400).length;
    clock.advance(1_000);
  }
  // 100 at once, and 100 a minute while 11 seconds pass.
  expect(heard).toBeLessThanOrEqual(100 + 19);
  expect(heard).toBeGreaterThanOrEqual(100 + 18);
});

inMemory("a refused request costs nothing: one place is free after 600 ms", async () => {
  await burst(200, login);
  clock.advance(599);
  expect((await login()).status).toBe(429);
  clock.advance(1);
  expect((await login()).status).toBe(400);
  expect((await login()).status).toBe(429);
});

// CVE-2026-3635 and the left-most X-Forwarded-For: an untrusted peer's headers name no other bucket.
inMemory.each(["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip"])(
  "%s changes nothing without a trusted proxy",
  async (name) => {
    let next = 0;
    const answers = await burst(120, () => {
      next += 1;
      const address = `203.0.113.${next}`;
      return login({ [name]: name === "forwarded" ? `for=${address}` : address });
    });
    expect(statusesOf(answers)).toEqual({ 400: 100, 429: 20 });
  },
);

// GHSA-x732-6j76-qmhm: a second spelling of the path missed the limiter.
inMemory.each(["//api/auth/login", "/api/auth/login/", "/api/auth%2flogin", "/API/AUTH/LOGIN"])(
  "%s is no way around the limit",
  async (path) => {
    await burst(100, login);
    const answer = await call("POST", path, {
      body: { email: "a@example.com", password: PASSWORD },
    });
    expect(answer.status).toBe(404);
    expect((await login()).status).toBe(429);
  },
);

inMemory("a query or an encoded letter is no way around the limit", async () => {
  await burst(100, login);
  expect((await call("POST", "/api/auth/login?x=1", { body: {} })).status).toBe(429);
  expect([404, 429]).toContain((await call("POST", "/api/auth/%6Cogin", { body: {} })).status);
});

inMemory("register has 30 a minute, and its limit is not login's", async () => {
  const register = () => call("POST", "/api/auth/register", { body: {} });
  expect(statusesOf(await burst(40, register))).toEqual({ 400: 30, 429: 10 });
  expect((await login()).status).toBe(400);
});

inMemory("setup counts as login does", async () => {
  await burst(100, login);
  expect((await call("POST", "/setup", { body: {} })).status).toBe(429);
});

inMemory(
  "a stranger has 600 a minute, and a user on the same address 1,200 of their own",
  async () => {
    const { token } = await signUp();
    const strangers: Answer[] = [];
    for (let round = 0; round < 7; round += 1) {
      strangers.push(...(await burst(100, () => call("GET", "/nothing"))));
    }
    expect(statusesOf(strangers)).toEqual({ 404: 600, 429: 100 });
    const own: Answer[] = [];
    for (let round = 0; round < 13; round += 1) {
      own.push(...(await burst(100, () => call("GET", "/api/auth/me", { token }))));
    }
    expect(statusesOf(own)).toEqual({ 200: 1_200, 429: 100 });
    expect(own.at(-1)?.json["violated-policies"]).toEqual(["user"]);
  },
);

inMemory("DELETE of a product has 30 a minute for each user", async () => {
  const [one, other] = [await signUp(["admin"]), await signUp(["admin"])];
  const path = `/api/products/${(await makeProduct(app, one.token)).id}`;
  const gone = await burst(40, () => call("DELETE", path, { token: one.token }));
  expect(statusesOf(gone)).toEqual({ 200: 1, 404: 29, 429: 10 });
  expect((await call("DELETE", path, { token: other.token })).status).toBe(404);
});

inMemory("a 429 leaves no row and reaches no hash", async () => {
  const { email } = await signUp();
  await burst(100, login);
  const before = app.log.length;
  const answer = await call("POST", "/api/auth/login", { body: { email, password: PASSWORD } });
  expect(answer.status).toBe(429);
  expect(answer.json).not.toHaveProperty("data");
  expect(app.log.length).toBe(before);
});
