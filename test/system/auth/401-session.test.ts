import { sql } from "drizzle-orm";
import { beforeAll, expect, test, vi } from "vitest";
import { testApp } from "../../support/app.ts";

const { bulwark, call, clock, query, reset, signUp } = await testApp();
beforeAll(reset);

const HOUR = 3_600_000;
const me = (token?: string) => call("GET", "/api/auth/me", { token });

/** That a session was seen is written beside the request, and this clock runs faster than any store. */
const seenNow = (sessionId: string): Promise<void> =>
  vi.waitFor(async () => {
    const [row] = await query(
      sql`SELECT last_seen_at AS at FROM bulwark.sessions WHERE id = ${sessionId}`,
    );
    expect(new Date(String(row?.["at"])).getTime()).toBe(clock.now());
  });

test("no credential is 401 and asks for a bearer token", async () => {
  const answer = await me();
  expect(answer.status).toBe(401);
  expect(answer.json).toMatchObject({ success: false, code: "UNAUTHORIZED" });
  expect(answer.headers.get("www-authenticate")).toBe("Bearer");
});

test("a bad credential is 401 and says invalid_token", async () => {
  const answer = await me("nonsense");
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
});

test("a bad credential is 401 where none was needed", async () => {
  const body = { email: "a@example.com", password: "b" };
  const answer = await call("POST", "/api/auth/login", { token: "nonsense", body });
  expect(answer.status).toBe(401);
  expect(answer.json["code"]).toBe("UNAUTHORIZED");
});

test("a token lives for its hour, and is TOKEN_EXPIRED from its end on", async () => {
  const { token } = await signUp();
  clock.advance(HOUR - 1_000);
  expect((await me(token)).status).toBe(200);
  clock.advance(1_000);
  const known = await me(token);
  expect(known.json["code"]).toBe("TOKEN_EXPIRED");
  const again = await me(token);
  expect(again.status).toBe(401);
  expect(again.json["code"]).toBe("TOKEN_EXPIRED");
});

/** Uses a session once in half an hour until `hours` have passed. */
async function useFor(sessionId: string, hours: number): Promise<void> {
  for (let half = 0; half < hours * 2; half += 1) {
    expect((await bulwark.sessions.read(sessionId))?.id).toBe(sessionId);
    await seenNow(sessionId);
    clock.advance(HOUR / 2);
  }
}

test("a session ends 12 hours after it began, however much it is used", async () => {
  const account = await signUp();
  const [row] = await query(sql`SELECT * FROM bulwark.sessions WHERE user_id = ${account.id}`);
  expect(new Date(String(row?.["expires_at"])).getTime()).toBe(clock.now() + 12 * HOUR);
  const id = sidOf(account.token);
  await useFor(id, 12);
  expect(await bulwark.sessions.read(id)).toBeUndefined();
  bulwark.sessions.forget(() => true);
  expect(await bulwark.sessions.read(id)).toBeUndefined();
});

test("a session ends an hour after it was last used", async () => {
  const { token } = await signUp();
  const id = sidOf(token);
  clock.advance(HOUR - 1);
  expect((await bulwark.sessions.read(id))?.lastSeenAt).toBe(clock.now());
  await seenNow(id);
  clock.advance(HOUR - 1);
  expect((await bulwark.sessions.read(id))?.id).toBe(id);
  clock.advance(HOUR);
  expect(await bulwark.sessions.read(id)).toBeUndefined();
  bulwark.sessions.forget(() => true);
  expect(await bulwark.sessions.read(id)).toBeUndefined();
});

test("a token that is made late ends with its session", async () => {
  const { id, token } = await signUp();
  const expiresAt = clock.now() + 12 * HOUR;
  await useFor(sidOf(token), 11.5);
  const late = await bulwark.tokens.generateToken({
    userId: id,
    sessionId: sidOf(token),
    expiresAt,
  });
  expect((await me(late)).status).toBe(200);
  clock.advance(HOUR / 2);
  expect((await me(late)).json["code"]).toBe("TOKEN_EXPIRED");
});

test("a session that was deleted from the store is refused at the next request", async () => {
  const { id, token } = await signUp();
  expect((await me(token)).status).toBe(200);
  await query(sql`DELETE FROM bulwark.sessions WHERE user_id = ${id}`);
  bulwark.sessions.forget((session) => session.userId === id);
  expect((await me(token)).status).toBe(401);
});

// GHSA-2vg6: a deleted user's sessions lived on.
test.each([
  ["disabled", (id: string) => sql`UPDATE bulwark.users SET disabled_at = now() WHERE id = ${id}`],
  ["deleted", (id: string) => sql`DELETE FROM bulwark.users WHERE id = ${id}`],
])("a user who was %s is refused at the next request", async (_name, change) => {
  const { id, token } = await signUp();
  expect((await me(token)).status).toBe(200);
  await query(change(id));
  bulwark.sessions.forget((session) => session.userId === id);
  expect((await me(token)).status).toBe(401);
});

test("roles are those of the next read, whatever the token was made with", async () => {
  const { id, token } = await signUp(["user", "admin"]);
  expect((await call("GET", "/api/admin/audit", { token })).status).toBe(200);
  await query(sql`UPDATE bulwark.users SET roles = '{user}' WHERE id = ${id}`);
  bulwark.sessions.forget((session) => session.userId === id);
  expect((await call("GET", "/api/admin/audit", { token })).status).toBe(403);
  await query(sql`UPDATE bulwark.users SET roles = '{user,admin}' WHERE id = ${id}`);
  bulwark.sessions.forget((session) => session.userId === id);
  expect((await call("GET", "/api/admin/audit", { token })).status).toBe(200);
});

const sidOf = (token: string): string => {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return (JSON.parse(payload) as { sid: string }).sid;
};
