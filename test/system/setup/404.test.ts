import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { ADMIN, adminCount, issueToken } from "./support.ts";

const app = await testApp();
const { call, clock, query, reset, signUp } = app;
beforeEach(reset);

const setup = async (token: string): Promise<string> => {
  const { status, json } = await call("POST", "/setup", { body: { token, ...ADMIN } });
  const code = json["code"];
  return typeof code === "string" ? `${status} ${code}` : String(status);
};

const MINUTE = 60_000;

test("a token works once", async () => {
  const token = await issueToken(app);
  expect(await setup(token)).toBe("201");
  expect(await setup(token)).toBe("404 NOT_FOUND");
});

test("a used token stays used, even when its administrator is gone", async () => {
  const token = await issueToken(app);
  expect(await setup(token)).toBe("201");
  await query(sql`DELETE FROM bulwark.users`);
  expect(await setup(token)).toBe("404 NOT_FOUND");
  expect(await adminCount(app)).toBe(0);
});

test("a token lives for 15 minutes", async () => {
  const late = await issueToken(app);
  clock.advance(15 * MINUTE);
  expect(await setup(late)).toBe("404 NOT_FOUND");
  const inTime = await issueToken(app);
  clock.advance(15 * MINUTE - 1);
  expect(await setup(inTime)).toBe("201");
});

test("a token is void as soon as an administrator exists", async () => {
  const token = await issueToken(app);
  await signUp(["user", "admin"]);
  expect(await setup(token)).toBe("404 NOT_FOUND");
  expect(await adminCount(app)).toBe(1);
});

test("a new token takes the place of the one before", async () => {
  const first = await issueToken(app);
  const second = await issueToken(app);
  expect(await setup(first)).toBe("404 NOT_FOUND");
  expect(await setup(second)).toBe("201");
});

test.each([
  ["empty", ""],
  ["unknown", "x".repeat(43)],
  ["with a space behind", "+ "],
])("a token that is %s is 404", async (_name, change) => {
  const token = await issueToken(app);
  expect(await setup(change === "+ " ? `${token} ` : change)).toBe("404 NOT_FOUND");
  expect(await adminCount(app)).toBe(0);
});

// CVE-2023-48309: a token of one kind was accepted as another.
test("a token of one kind is none of another", async () => {
  const setupToken = await issueToken(app);
  const { token } = await signUp();
  expect(await setup(token)).toBe("400 VALIDATION_ERROR");
  expect(await setup(token.slice(0, 43))).toBe("404 NOT_FOUND");
  expect((await call("GET", "/api/auth/me", { token: setupToken })).status).toBe(401);
  await query(sql`UPDATE bulwark.one_time_tokens SET purpose = 'password-reset'`);
  expect(await setup(setupToken)).toBe("404 NOT_FOUND");
});
