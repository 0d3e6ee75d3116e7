import { sql } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import type { UserPrincipal } from "../../../src/core/index.ts";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";

const app = await testApp();
const { bulwark, call, query, reset, signUp } = app;
beforeEach(reset);

/** Ends all that an account is signed in with, while it signs in and proves itself anew. */
test.each<[what: string, end: (id: string) => Promise<unknown>]>([
  ["locked", (id) => bulwark.accounts.lock(id, {})],
  ["disabled", (id) => bulwark.accounts.disable(id, {})],
])("an account that is %s keeps no session that was being made", async (_what, end) => {
  await signUp(["user", "admin"]);
  for (let round = 0; round < 5; round += 1) {
    const { id, email, token } = await signUp();
    const me = await call("GET", "/api/auth/me", { token });
    const { sessionId, methods } = dataOf<Pick<UserPrincipal, "sessionId" | "methods">>(me);
    const principal = { kind: "user", via: "bearer", userId: id, sessionId, methods, roles: [] };
    const login = () => bulwark.auth.login({ email, password: PASSWORD }, {});
    await Promise.allSettled([
      login(),
      login(),
      bulwark.signIn.renew(principal as UserPrincipal, {}, {}),
      end(id),
      login(),
    ]);
    const left = await query(sql`SELECT id FROM bulwark.sessions WHERE user_id = ${id}`);
    expect(left).toEqual([]);
  }
});
