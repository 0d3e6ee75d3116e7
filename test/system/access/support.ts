import { sql } from "drizzle-orm";
import { type By, defineAccess, RoleAdmin, TenantAdmin } from "../../../src/access/index.ts";
import type { UserPrincipal } from "../../../src/core/index.ts";
import { type Account, PASSWORD, type TestApp } from "../../support/app.ts";

const model = defineAccess({
  permissions: ["docs:read", "docs:write", "docs:delete"],
  roles: {
    user: { permissions: ["docs:read"] },
    editor: { includes: ["user"], permissions: ["docs:write"] },
    auditor: {},
    admin: { includes: ["editor"], permissions: "*" },
  },
});

/** The services under test, beside the application that they change. */
export function services({ bulwark }: TestApp) {
  const { audit, clock, database, sessions } = bulwark;
  const changed: string[] = [];
  const onChanged = (userId: string): void => {
    changed.push(userId);
    sessions.forget((session) => session.userId === userId);
  };
  return {
    changed,
    tenants: new TenantAdmin({ database, audit, clock, onChanged }),
    roles: new RoleAdmin({
      database,
      access: model,
      audit,
      clock,
      onChanged,
      endSessions: (userId, tx) => sessions.revokeAll(userId, {}, tx),
    }),
  };
}

/** principalOf is who a token stands for now; undefined where it is refused. */
export async function principalOf(
  { bulwark }: TestApp,
  token: string,
): Promise<UserPrincipal | undefined> {
  bulwark.sessions.forget(() => true);
  const { kernel } = bulwark.handlers.BaseAPIHandler;
  const request = new Request("http://h/", { headers: { authorization: `Bearer ${token}` } });
  const result = await kernel.authenticate(request, { address: undefined, requestId: "r" });
  if (!result.isAuthenticated) return undefined;
  if (result.principal.kind !== "user") throw new Error("expected a user");
  return result.principal;
}

/** signIn begins a session: in the tenant that the user joined first, if in any. */
export async function signIn(app: TestApp, { email }: Account): Promise<string> {
  const signedIn = await app.bulwark.auth.login({ email, password: PASSWORD }, {});
  if (signedIn.mode !== "token") throw new Error("expected tokens");
  return signedIn.accessToken;
}

/** asUser is what a service is told of who acts: a new session of the user. */
export async function asUser(app: TestApp, account: Account): Promise<By> {
  const principal = await principalOf(app, await signIn(app, account));
  if (principal === undefined) throw new Error("expected a session");
  return { principal, userId: principal.userId };
}

/** eventsOf lists the events of an area in their order, where the clock went on between them. */
export async function eventsOf(
  { query }: TestApp,
  area: string,
): Promise<readonly (readonly unknown[])[]> {
  const rows = await query(sql`
    SELECT type, result, user_id, resource, metadata FROM bulwark.audit_events
    WHERE type LIKE ${`${area}.%`} ORDER BY id`);
  return rows.map((row) => [row["type"], row["user_id"], row["resource"], row["metadata"]]);
}
