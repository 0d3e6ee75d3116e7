import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import type { Principal } from "../../../src/core/index.ts";
import { type Account, PASSWORD, testApp } from "../../support/app.ts";
import { makeTenants, TENANTS } from "./support.ts";

const { bulwark, clock, query, reset, signUp } = await testApp();
const HOUR = 3_600_000;

let person: Account;
beforeEach(async () => {
  await reset();
  await makeTenants(bulwark);
  person = await signUp();
});

let joins = 0;
/** Each a second after the one before: two in the same millisecond have no first. */
const join = (tenantId: string): Promise<unknown> => {
  joins += 1;
  return query(sql`INSERT INTO bulwark.memberships (id, tenant_id, user_id, created_at)
    VALUES (gen_random_uuid(), ${tenantId}, ${person.id}, now() + ${joins} * interval '1 second')`);
};
const leave = (): Promise<unknown> => query(sql`DELETE FROM bulwark.memberships`);

const give = (
  role: string,
  options: { readonly tenantId?: string; readonly forMs?: number } = {},
): Promise<unknown> => {
  const { tenantId = null, forMs } = options;
  const until = forMs === undefined ? null : new Date(clock.now() + forMs).toISOString();
  return query(sql`INSERT INTO bulwark.role_assignments (id, user_id, role, tenant_id, expires_at, created_at)
    VALUES (gen_random_uuid(), ${person.id}, ${role}, ${tenantId}, ${until}::timestamptz, now())`);
};

const make = (name: string, permissions: readonly string[], tenantId?: string): Promise<unknown> =>
  query(sql`INSERT INTO bulwark.roles (id, tenant_id, name, permissions, created_at, updated_at)
    VALUES (gen_random_uuid(), ${tenantId ?? null}, ${name}, ${sql.raw(`ARRAY['${permissions.join("','")}']`)}, now(), now())`);

async function signIn(): Promise<string> {
  const signedIn = await bulwark.auth.login({ email: person.email, password: PASSWORD }, {});
  if (signedIn.mode !== "token") throw new Error("expected tokens");
  return signedIn.accessToken;
}

/** Who a token stands for; undefined where it is refused. Memory is dropped, as when another process had changed the rows. */
async function principalOf(token: string): Promise<Principal | undefined> {
  bulwark.sessions.forget(() => true);
  return recall(token);
}

async function recall(token: string): Promise<Principal | undefined> {
  const { kernel } = bulwark.handlers.BaseAPIHandler;
  const request = new Request("http://h/", { headers: { authorization: `Bearer ${token}` } });
  const result = await kernel.authenticate(request, { address: undefined, requestId: "r" });
  return result.isAuthenticated ? result.principal : undefined;
}

describe("a session", () => {
  test("outside of any tenant has none", async () => {
    expect(await principalOf(person.token)).toMatchObject({ tenantId: undefined, roles: ["user"] });
  });

  test("acts in the tenant that its user joined first", async () => {
    await join(TENANTS.b);
    await join(TENANTS.a);
    expect((await principalOf(await signIn()))?.tenantId).toBe(TENANTS.b);
  });

  test("in a tenant that its user has left is refused", async () => {
    await join(TENANTS.a);
    const token = await signIn();
    expect(await principalOf(token)).toBeDefined();
    await leave();
    expect(await principalOf(token)).toBeUndefined();
  });

  test("ends with its tenant", async () => {
    await join(TENANTS.a);
    const token = await signIn();
    await query(sql`DELETE FROM bulwark.tenants WHERE id = ${TENANTS.a}`);
    expect(await principalOf(token)).toBeUndefined();
  });
});

describe("a role that was given", () => {
  test("everywhere stands in every tenant and outside", async () => {
    await give("moderator");
    expect((await principalOf(person.token))?.kind).toBe("user");
    expect(await principalOf(person.token)).toMatchObject({ roles: ["user", "moderator"] });
    await join(TENANTS.a);
    expect(await principalOf(await signIn())).toMatchObject({ roles: ["user", "moderator"] });
  });

  test("in a tenant stands there alone", async () => {
    await join(TENANTS.a);
    await give("moderator", { tenantId: TENANTS.a });
    await give("admin", { tenantId: TENANTS.b });
    expect(await principalOf(person.token)).toMatchObject({ roles: ["user"] });
    expect(await principalOf(await signIn())).toMatchObject({ roles: ["user", "moderator"] });
  });

  test("for an hour stands for an hour, also in memory", async () => {
    await give("moderator", { forMs: HOUR / 2 });
    expect(await principalOf(person.token)).toMatchObject({ roles: ["user", "moderator"] });
    clock.advance(HOUR / 2 - 1);
    expect(await recall(person.token)).toMatchObject({ roles: ["user", "moderator"] });
    clock.advance(1);
    expect(await recall(person.token)).toMatchObject({ roles: ["user"] });
  });

  test("and was made at run time brings its permissions, a tenant's own before the common one", async () => {
    await make("editor", ["notes:edit"]);
    await make("editor", ["notes:edit", "notes:publish"], TENANTS.a);
    await make("auditor", ["audit:read"], TENANTS.b);
    await join(TENANTS.a);
    await give("editor", { tenantId: TENANTS.a });
    await give("auditor", { tenantId: TENANTS.a });
    const principal = await principalOf(await signIn());
    expect(principal).toMatchObject({ roles: ["user", "editor", "auditor"] });
    expect(principal).toMatchObject({ permissions: ["notes:edit", "notes:publish"] });
    await give("editor");
    expect(await principalOf(person.token)).toMatchObject({
      roles: ["user", "editor"],
      permissions: ["notes:edit"],
    });
  });
});
