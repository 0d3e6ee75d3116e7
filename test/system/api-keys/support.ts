import { sql } from "drizzle-orm";
import type { CreatedAPIKey, NewAPIKey } from "../../../src/api-keys/index.ts";
import type { Bulwark } from "../../../src/bulwark/index.ts";
import { uuidv7 } from "../../../src/core/index.ts";
import { type Account, dataOf, type TestApp } from "../../support/app.ts";

export const READ = "products:read";
export const WRITE = "products:write";

/** makeKey makes a key of an account through its service, with a scope to read. */
export const makeKey = (
  { bulwark }: Pick<TestApp, "bulwark">,
  account: Pick<Account, "id">,
  input: Partial<NewAPIKey> = {},
): Promise<CreatedAPIKey> =>
  bulwark.apiKeys.create(
    { name: "a key", scopes: [READ], ...input },
    { userId: account.id },
    undefined,
    {},
  );

/** What a route of keys alone answers: who the key acts for. */
export interface Seen {
  readonly kind: string;
  readonly keyId: string;
  readonly userId: string | null;
  readonly tenantId: string | null;
  readonly scopes: readonly string[];
}

/** opener is a route that admits keys and nothing else, asked without a server in between. */
export function opener(
  bulwark: Bulwark,
): (
  headers: Readonly<Record<string, string>>,
  peer?: string,
) => Promise<{ readonly status: number; readonly headers: Headers; readonly seen: Seen }> {
  const route = bulwark.handlers.APIKeyHandler.GET(
    ({ principal }) => {
      if (principal.via !== "key") throw new TypeError("expected a key");
      const { kind, keyId, tenantId = null, scopes } = principal;
      const userId = principal.kind === "userKey" ? principal.userId : null;
      return { kind, keyId, userId, tenantId, scopes };
    },
    { path: "/keys-only", requireAuth: true, principals: ["tenantKey"] },
  );
  return async (headers, peer = "192.0.2.7") => {
    const response = await route(new Request(`${bulwark.issuer}/keys-only`, { headers }), { peer });
    const body = (await response.json()) as { data: Seen };
    return { status: response.status, headers: response.headers, seen: body.data };
  };
}

/** statusOf asks with a key in `x-api-key`. */
export const statusOf = async (bulwark: Bulwark, key: string, peer?: string): Promise<number> =>
  (await opener(bulwark)({ "x-api-key": key }, peer)).status;

/** makeTenant makes a tenant of members. */
export async function makeTenant(app: TestApp, ...members: readonly Account[]): Promise<string> {
  const id = uuidv7(app.clock.now());
  const now = new Date(app.clock.now()).toISOString();
  await app.query(
    sql`INSERT INTO bulwark.tenants (id, name, created_at) VALUES (${id}, 'T', ${now}::timestamptz)`,
  );
  for (const member of members) {
    await app.query(sql`INSERT INTO bulwark.memberships (id, tenant_id, user_id, created_at)
      VALUES (${uuidv7(app.clock.now())}, ${id}, ${member.id}, ${now}::timestamptz)`);
  }
  return id;
}

/** tokenOf signs a person in anew. */
export async function tokenOf(app: TestApp, { email, password }: Account): Promise<string> {
  const answer = await app.call("POST", "/api/auth/login", { body: { email, password } });
  return dataOf<{ accessToken: string }>(answer).accessToken;
}

/** Rows of keys, as the database has them. */
export const keyRows = (app: TestApp): ReturnType<TestApp["query"]> =>
  app.query(sql`SELECT * FROM bulwark.api_keys ORDER BY id`);

/** What the audit log has of a type, the oldest first. */
export const eventsOf = (app: TestApp, type: string): ReturnType<TestApp["query"]> =>
  app.query(sql`SELECT * FROM bulwark.audit_events WHERE type = ${type} ORDER BY seq`);
