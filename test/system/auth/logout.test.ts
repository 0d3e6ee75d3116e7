import { beforeAll, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";

const { call, reset, signUp } = await testApp();
beforeAll(reset);

test("logout is 200, clears what a browser kept, and ends the token at once", async () => {
  const { token } = await signUp();
  const answer = await call("POST", "/api/auth/logout", { token });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("clear-site-data")).toBe('"cache", "storage"');
  for (const path of ["/api/auth/me", "/api/products"]) {
    expect((await call("GET", path, { token })).status).toBe(401);
  }
  expect((await call("POST", "/api/auth/logout", { token })).status).toBe(401);
});

test("logout ends this session and no other", async () => {
  const { email, token } = await signUp();
  const login = await call("POST", "/api/auth/login", { body: { email, password: PASSWORD } });
  const other = dataOf<{ accessToken: string }>(login).accessToken;
  await call("POST", "/api/auth/logout", { token });
  expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
  expect((await call("GET", "/api/auth/me", { token: other })).status).toBe(200);
});

test("among 200 requests in flight none is served once logout was answered", async () => {
  const { token } = await signUp();
  let isOut = false;
  const me = async (): Promise<{ sentAfter: boolean; status: number }> => {
    const sentAfter = isOut;
    const { status } = await call("GET", "/api/auth/me", { token });
    return { sentAfter, status };
  };
  const before = Array.from({ length: 100 }, me);
  const logout = call("POST", "/api/auth/logout", { token }).then(({ status }) => {
    isOut = true;
    return status;
  });
  const during = Array.from({ length: 50 }, me);
  expect(await logout).toBe(200);
  const after = Array.from({ length: 50 }, me);
  const answers = await Promise.all([...before, ...during, ...after]);
  expect(answers.filter(({ sentAfter }) => sentAfter)).toHaveLength(50);
  for (const { sentAfter, status } of answers) {
    expect(sentAfter ? [401] : [200, 401]).toContain(status);
  }
  // What those requests read while the session was being deleted must not have brought it back.
  expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
});

test("20 logouts at once are one logout", async () => {
  const { token } = await signUp();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call("POST", "/api/auth/logout", { token })),
  );
  for (const { status } of answers) expect([200, 401]).toContain(status);
  expect(answers.some(({ status }) => status === 200)).toBe(true);
  expect((await call("GET", "/api/auth/me", { token })).status).toBe(401);
});
