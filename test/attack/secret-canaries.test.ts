import { sql } from "drizzle-orm";
import { beforeAll, expect, test, vi } from "vitest";
import { type Answer, dataOf, testApp } from "../support/app.ts";
import { issueToken } from "../system/setup/support.ts";

const app = await testApp();
const { bulwark, call, dump, log, query, reset } = app;

// Lesson of every trail that kept a secret: canaries go through every route, and are looked for everywhere.
const PASSWORDS = {
  admin: "canary-one of the administrator",
  user: "canary-two of the registered user",
  wrong: "canary-three that is wrong",
  short: "canary-four",
} as const;
const tokens: string[] = [];
const answers: Answer[] = [];

async function walk(method: string, path: string, options: Parameters<typeof call>[2]) {
  const answer = await call(method, path, options);
  answers.push(answer);
  return answer;
}

beforeAll(async () => {
  await reset();
  const setup = await issueToken(app);
  tokens.push(setup);
  const admin = { email: "admin@example.com", name: "Admin" };
  const user = { email: "user@example.com", name: "User" };
  const post = (path: string, body: unknown, token?: string) => walk("POST", path, { body, token });

  await post("/setup", { token: setup, ...admin, password: PASSWORDS.short });
  await post("/setup", { token: setup, ...admin, password: PASSWORDS.admin });
  await post("/setup", { token: setup, ...admin, password: PASSWORDS.admin });
  await post("/api/auth/register", { ...user, password: PASSWORDS.short });
  await post("/api/auth/register", { ...user, password: PASSWORDS.user });
  await post("/api/auth/register", { ...user, password: PASSWORDS.user });
  await post("/api/auth/register", { ...user, password: [PASSWORDS.user] });
  await post("/api/auth/register", { ...user, [PASSWORDS.short]: 1, password: PASSWORDS.user });
  await post("/api/auth/register", `{"password":"${PASSWORDS.user}",`);
  await post("/api/auth/login", { email: user.email, password: PASSWORDS.wrong });
  await post("/api/auth/login", { email: PASSWORDS.wrong, password: user.email });
  const login = async (email: string, password: string): Promise<string> => {
    const answer = await call("POST", "/api/auth/login", { body: { email, password } });
    const given = dataOf<Record<"accessToken" | "refreshToken" | "deviceToken", string>>(answer);
    tokens.push(given.accessToken, given.refreshToken, given.deviceToken);
    return given.accessToken;
  };
  const userToken = await login(user.email, PASSWORDS.user);
  const adminToken = await login(admin.email, PASSWORDS.admin);

  for (const token of [userToken, adminToken]) {
    await walk("GET", "/api/auth/me", { token });
    await walk("GET", "/api/products", { token });
    await walk("GET", `/api/products?search=${encodeURIComponent(PASSWORDS.wrong)}`, { token });
    await walk("GET", `/api/products?token=${token}`, { token });
    await walk("POST", "/api/products", { token, body: { name: "n", price: 1, category: "c" } });
    await walk("DELETE", "/api/products/1", { token });
    await walk("PUT", "/api/products", { token });
    await walk("GET", "/nothing", { token });
    await walk("GET", "/api/auth/me", { token: `${token}x` });
  }

  // What fails on our side is logged with its cause.
  await query(sql`ALTER TABLE bulwark.users RENAME TO users_away`);
  try {
    await post("/api/auth/login", { email: user.email, password: PASSWORDS.user });
    await post("/api/auth/register", { ...user, password: PASSWORDS.user });
    await post("/setup", { token: setup, ...admin, password: PASSWORDS.admin });
  } finally {
    await query(sql`ALTER TABLE bulwark.users_away RENAME TO users`);
  }
  const cause = { password: PASSWORDS.user, headers: { authorization: `Bearer ${userToken}` } };
  const failure = Object.assign(new Error(`failed for Bearer ${userToken}`), cause);
  const me = vi.spyOn(bulwark.auth, "me").mockRejectedValue(failure);
  await walk("GET", "/api/auth/me", { token: userToken });
  me.mockRestore();
  await walk("GET", "/api/admin/audit?limit=100", { token: adminToken });
  await walk("POST", "/api/auth/logout", { token: userToken });
});

const canaries = (): string[] => [...Object.values(PASSWORDS), ...tokens];

test("the walk met successes, refusals and faults", () => {
  const statuses = new Set(answers.map(({ status }) => status));
  for (const status of [200, 201, 400, 401, 403, 404, 405, 409, 500]) {
    expect(statuses).toContain(status);
  }
  expect(log.length).toBeGreaterThan(3);
  expect(canaries().length).toBe(11);
});

test("no password, token or setup token is in a line of the log", () => {
  const text = log.join("");
  for (const canary of canaries()) expect(text.includes(canary), canary).toBe(false);
});

test("none is in a table, not even in hexadecimal", async () => {
  const text = await dump();
  expect(text).toContain("user@example.com");
  for (const canary of canaries()) {
    expect(text.includes(canary), canary).toBe(false);
    expect(text.includes(Buffer.from(canary).toString("hex")), canary).toBe(false);
    expect(text.includes(Buffer.from(canary, "base64url").toString("hex")), canary).toBe(false);
  }
});

test("none is in the body or a header of an answer", () => {
  for (const answer of answers) {
    const text = answer.text + JSON.stringify([...answer.headers]);
    for (const canary of [...tokens, PASSWORDS.user, PASSWORDS.admin, PASSWORDS.wrong]) {
      expect(text.includes(canary), `${canary} in ${text}`).toBe(false);
    }
  }
});

test("the hash of a password is in no answer and no line either", () => {
  const everything = log.join("") + answers.map(({ text }) => text).join("");
  expect(everything).not.toMatch(/argon2|password_?hash|handle_?hash|token_?hash/i);
});
