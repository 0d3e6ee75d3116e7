import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AnyRoute } from "../../../src/core/index.ts";
import { referenceRoutes } from "../../../src/server/reference-api.ts";
import { dataOf, PASSWORD, startApp, type TestApp } from "../../support/app.ts";

// Who gets into which route: every route of the application, for everyone there is.

type Kind = "open" | "signed in" | "read" | "write" | "moderators" | "admins";

/** The routes that are not for the signed-in alone. One that is not named here and lets in others than the signed-in fails. */
const KINDS: Readonly<Record<string, Kind>> = {
  "GET /api/products": "read",
  "POST /api/products": "write",
  "DELETE /api/products/:id": "moderators",
};
const OPEN = new Set([
  "POST /api/auth/register",
  "POST /api/auth/email/verify",
  "POST /api/auth/email/resend",
  "POST /api/auth/password/forgot",
  "POST /api/auth/password/reset",
  "POST /api/auth/password/strength",
  "POST /api/auth/magic-link",
  "POST /api/auth/magic-link/verify",
  "POST /api/auth/invite/accept",
  "POST /api/auth/login",
  "POST /api/auth/mfa/challenge",
  "POST /api/auth/refresh",
  "POST /api/auth/passkeys/login/options",
  "POST /api/auth/passkeys/login/verify",
  "POST /api/api-keys/leaked",
  "POST /api/reports",
  "POST /setup",
]);
const PAGES = /^GET \/(?:\.well-known|health|docs|setup|auth|assets|dev|openapi\.json)/;

function kindOf({ method, path }: AnyRoute): Kind {
  const name = `${method} ${path}`;
  if (OPEN.has(name) || PAGES.test(name)) return "open";
  if (path.startsWith("/api/admin/")) return "admins";
  return KINDS[name] ?? "signed in";
}

/** What takes effect without a body: nobody who gets in is sent there. */
const EFFECTS = new Set([
  "DELETE /api/auth/me",
  "POST /api/auth/me/export",
  "POST /api/auth/logout",
  "DELETE /api/auth/sessions",
  "DELETE /api/auth/mfa/totp",
]);

type Outcome = "in" | 401 | 403;
interface Persona {
  readonly headers: Readonly<Record<string, string>>;
  readonly may: Readonly<Record<Kind, Outcome>>;
}

const everywhere = (outcome: Outcome): Record<Kind, Outcome> => ({
  open: outcome,
  "signed in": outcome,
  read: outcome,
  write: outcome,
  moderators: outcome,
  admins: outcome,
});
const NOBODY = { ...everywhere(401), open: "in" } as const;
const USER = { ...everywhere("in"), moderators: 403, admins: 403 } as const;
const MODERATOR = { ...everywhere("in"), admins: 403 } as const;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const key = (text: string) => ({ "x-api-key": text });

const TENANTS = {
  a: "01a20cea-0000-7000-8000-00000000000a",
  b: "01a20cea-0000-7000-8000-00000000000b",
} as const;

const many = Object.fromEntries(
  ["address", "login", "register", "anonymous", "user"].map((name) => [
    name,
    { requests: 1_000_000, window: "1m" },
  ]),
);

let app: TestApp;
const personas: Record<string, Persona> = {};
let routes: readonly AnyRoute[] = [];

beforeAll(async () => {
  app = await startApp({ limits: many });
  // Whom /metrics answers is told by a bearer of its own, and no credential of ours is read.
  routes = referenceRoutes(app.bulwark).filter(({ path }) => path !== "/metrics");
  await makePersonas();
});
afterAll(() => app.close());

async function makePersonas(): Promise<void> {
  const { bulwark, signUp, clock } = app;
  const now = new Date(clock.now()).toISOString();
  for (const [name, id] of Object.entries(TENANTS)) {
    await app.query(
      sql`INSERT INTO bulwark.tenants (id, name, created_at) VALUES (${id}, ${name}, ${now}::timestamptz)`,
    );
  }
  const tokenOf = async (email: string): Promise<string> => {
    const signedIn = await bulwark.auth.login({ email, password: PASSWORD }, {});
    if (signedIn.mode !== "token") throw new Error("expected tokens");
    return signedIn.accessToken;
  };
  const member = async (tenant: keyof typeof TENANTS) => {
    const account = await signUp();
    await bulwark.tenants.addMember(TENANTS[tenant], account.id, "system");
    clock.advance(1);
    return account;
  };
  const given = async (
    role: string,
    options: { readonly tenantId?: string; readonly forMs?: number } = {},
  ): Promise<string> => {
    const account = await member("a");
    if (options.tenantId === TENANTS.b) {
      await bulwark.tenants.addMember(TENANTS.b, account.id, "system");
    }
    const { tenantId, forMs } = options;
    const expiresAt = forMs === undefined ? null : new Date(clock.now() + forMs);
    await bulwark.roles.assign({ userId: account.id, role, tenantId, expiresAt }, "system");
    return tokenOf(account.email);
  };
  const keyOf = async (token: string, scopes: readonly string[]): Promise<string> => {
    const body = { name: "key", scopes };
    const made = await app.call("POST", "/api/api-keys", { token, body });
    return dataOf<{ key: string }>(made).key;
  };

  const owner = await member("a");
  const ownerToken = await tokenOf(owner.email);
  const ended = await tokenOf(owner.email);
  await app.call("POST", "/api/auth/logout", { token: ended });
  const gone = await signUp();
  const goneKey = await keyOf(gone.token, ["products:read"]);
  const expired = await given("moderator", { forMs: 1_000 });
  clock.advance(1_000);
  await bulwark.accounts.disable(gone.id, {});
  const left = await member("b");
  const leftToken = await tokenOf(left.email);
  await bulwark.tenants.removeMember(TENANTS.b, left.id, "system");
  const ofTenant = await bulwark.apiKeys.create(
    { name: "tenant", scopes: ["products:read", "products:write"] },
    { tenantId: TENANTS.a },
    undefined,
    {},
  );

  Object.assign(personas, {
    nobody: { headers: {}, may: NOBODY },
    "a forged token": { headers: bearer(`${ownerToken.slice(0, -4)}AAAA`), may: everywhere(401) },
    "a session that ended": { headers: bearer(ended), may: everywhere(401) },
    "a user whose account is disabled": { headers: bearer(gone.token), may: everywhere(401) },
    "a member who has left": { headers: bearer(leftToken), may: everywhere(401) },
    "a user in tenant a": { headers: bearer(ownerToken), may: USER },
    "a user in tenant b": {
      headers: bearer(await tokenOf((await member("b")).email)),
      may: USER,
    },
    "a user in no tenant": { headers: bearer((await signUp()).token), may: USER },
    "a moderator": { headers: bearer((await signUp(["user", "moderator"])).token), may: MODERATOR },
    "a moderator by an assignment": { headers: bearer(await given("moderator")), may: MODERATOR },
    "a moderator of the tenant": {
      headers: bearer(await given("moderator", { tenantId: TENANTS.a })),
      may: MODERATOR,
    },
    "a moderator of another tenant": {
      headers: bearer(await given("moderator", { tenantId: TENANTS.b })),
      may: USER,
    },
    "one who was a moderator until now": { headers: bearer(expired), may: USER },
    "an admin": {
      headers: bearer((await signUp(["user", "admin"])).token),
      may: everywhere("in"),
    },
    "an admin for an hour": {
      headers: bearer(await given("admin", { forMs: 3_600_000 })),
      may: everywhere("in"),
    },
    "a key that reads": {
      headers: key(await keyOf(ownerToken, ["products:read"])),
      may: { ...everywhere(403), read: "in" },
    },
    "a key that writes": {
      headers: key(await keyOf(ownerToken, ["products:write"])),
      may: { ...everywhere(403), write: "in" },
    },
    "a key of an admin's": {
      headers: key(
        await keyOf((await signUp(["user", "admin"])).token, ["products:read", "products:write"]),
      ),
      may: { ...everywhere(403), read: "in", write: "in" },
    },
    "a key of a tenant's": { headers: key(ofTenant.key), may: everywhere(403) },
    "a key of a disabled owner": { headers: key(goneKey), may: everywhere(401) },
    "a key with another end": {
      headers: key(`${ofTenant.key.slice(0, -1)}${ofTenant.key.endsWith("a") ? "b" : "a"}`),
      may: everywhere(401),
    },
  } satisfies Record<string, Persona>);
}

const ID = "01a20cea-0000-7000-8000-0000000000ff";
const pathOf = (path: string): string =>
  path.replaceAll(/:id|:userId/g, ID).replaceAll(/:\w+/g, "x");

/** A body that no route takes: who gets in is told that it is wrong, and changes nothing. */
async function ask(route: AnyRoute, headers: Readonly<Record<string, string>>): Promise<number> {
  const hasBody = route.definition.body !== undefined;
  const response = await fetch(`http://127.0.0.1:${app.port}${pathOf(route.path)}`, {
    method: route.method,
    redirect: "manual",
    headers: { ...headers, ...(hasBody ? { "content-type": "application/json" } : {}) },
    ...(hasBody ? { body: '{"unknownField":1}' } : {}),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The rows of every table that a route may change. The audit log grows, and sessions are marked as seen. */
async function counts(): Promise<string> {
  const names = await app.query(sql`
    SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
    WHERE table_schema IN ('bulwark', 'reference')
      AND table_name NOT IN ('audit_events', 'migrations') ORDER BY 1`);
  const parts = names
    .map(({ name }) => String(name))
    .map((name) => `SELECT '${name}' AS t, count(*)::int AS n FROM ${name}`);
  return JSON.stringify(await app.query(sql.raw(parts.join(" UNION ALL "))));
}

test("everybody is there, and every route is of a kind", () => {
  expect(Object.keys(personas).length).toBeGreaterThan(15);
  expect(routes.length).toBeGreaterThan(90);
  const kinds = new Set(routes.map(kindOf));
  expect(kinds.size).toBe(6);
  for (const route of routes) {
    // What a route says of itself agrees with the table.
    expect(route.definition.requireAuth, `${route.method} ${route.path}`).toBe(
      kindOf(route) !== "open",
    );
  }
});

describe("every route, for everybody, lets in whom it should and changes nothing for others", () => {
  test("of all personas and routes", { timeout: 240_000 }, async () => {
    const wrong: string[] = [];
    for (const [who, { headers, may }] of Object.entries(personas)) {
      const before = await counts();
      for (const route of routes) {
        const name = `${route.method} ${route.path}`;
        const expected = may[kindOf(route)];
        if (expected === "in" && EFFECTS.has(name)) continue;
        const status = await ask(route, headers);
        const isAsExpected =
          expected === "in" ? status !== 401 && status !== 403 : status === expected;
        if (!isAsExpected) wrong.push(`${who}: ${name}: ${status}, expected ${expected}`);
        if (status >= 500) wrong.push(`${who}: ${name}: ${status}`);
      }
      const after = await counts();
      if (after !== before) wrong.push(`${who}: rows changed: ${before} -> ${after}`);
    }
    expect(wrong).toEqual([]);
  });
});
