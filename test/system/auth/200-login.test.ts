import { sql } from "drizzle-orm";
import { beforeAll, expect, test } from "vitest";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";

const { bulwark, call, dump, query, reset, signUp } = await testApp();
beforeAll(reset);

interface Login {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly deviceToken: string;
  readonly expiresIn: number;
  readonly user: { readonly id: string };
}

test("login answers a token, its life in seconds and the user, and nothing else", async () => {
  const { email, id } = await signUp();
  const answer = await call("POST", "/api/auth/login", { body: { email, password: PASSWORD } });
  expect(answer.status).toBe(200);
  const data = dataOf<Login>(answer);
  expect(Object.keys(data).sort()).toEqual([
    "accessToken",
    "deviceToken",
    "expiresIn",
    "refreshToken",
    "user",
  ]);
  expect(data.expiresIn).toBe(3_600);
  expect(data.user).toEqual({ id, email, name: expect.any(String), roles: ["user"] });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.has("set-cookie")).toBe(false);
});

test.each([
  ["upper case", (email: string) => email.toUpperCase()],
  ["a capital in the domain", (email: string) => email.replace("example", "Example")],
])("login finds an address in %s", async (_name, spell) => {
  const { email, id } = await signUp();
  const body = { email: spell(email), password: PASSWORD };
  const answer = await call("POST", "/api/auth/login", { body });
  expect(dataOf<Login>(answer).user.id).toBe(id);
});

// CVE-2022-25896 (passport): the session was kept across a login.
test("every login begins another session, and nothing that a client holds is stored", async () => {
  const { email, id } = await signUp();
  const login = async (): Promise<Login> => {
    const answer = await call("POST", "/api/auth/login", { body: { email, password: PASSWORD } });
    return dataOf<Login>(answer);
  };
  const logins = [await login(), await login()];
  const payloads = logins.map(({ accessToken }) => {
    const payload = Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString();
    return JSON.parse(payload) as { sid: string; roles?: unknown };
  });
  expect(payloads[0]?.sid).not.toBe(payloads[1]?.sid);
  expect(payloads[0]).not.toHaveProperty("roles");
  const rows = await query(sql`SELECT id FROM bulwark.sessions WHERE user_id = ${id}`);
  expect(rows).toHaveLength(3);
  const stored = await dump();
  for (const { accessToken, refreshToken, deviceToken } of logins) {
    for (const token of [accessToken, refreshToken, deviceToken]) {
      expect(stored).not.toContain(token);
      for (const part of token.split(/[._]/).filter(({ length }) => length > 20)) {
        expect(stored).not.toContain(part);
        expect(stored).not.toContain(Buffer.from(part, "base64url").toString("hex"));
      }
    }
  }
});

test("me says who is signed in, by which session and factors", async () => {
  const { token, id, email } = await signUp();
  const answer = await call("GET", "/api/auth/me", { token });
  expect(answer.status).toBe(200);
  expect(answer.json["data"]).toEqual({
    id,
    email,
    name: expect.any(String),
    roles: ["user"],
    sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    methods: [{ method: "pwd", at: bulwark.clock.now() }],
  });
});

test("HEAD of me is the GET without its body", async () => {
  const { token } = await signUp();
  const answer = await call("HEAD", "/api/auth/me", { token });
  expect(answer.status).toBe(200);
  expect(answer.text).toBe("");
  expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(100);
});
