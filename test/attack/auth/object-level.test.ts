import { beforeAll, expect, test } from "vitest";
import { referenceRoutes } from "../../../src/server/reference-api.ts";
import { type Account, dataOf, testApp } from "../../support/app.ts";
import { SoftwareAuthenticator } from "../../support/software-authenticator.ts";
import type { Tokens } from "../../system/auth/support.ts";

// GHSA-4vcf: a user acted on another user's id.
const app = await testApp();
const { bulwark, call, dump, signUp } = app;

/** What every route with an id answers to somebody else; a route that is not named here fails. */
const EXPECTED: Readonly<Record<string, number>> = {
  "GET /api/products/:id": 200,
  "PATCH /api/products/:id": 403,
  "DELETE /api/products/:id": 403,
  "DELETE /api/auth/sessions/:id": 404,
  "PATCH /api/auth/passkeys/:id": 404,
  "DELETE /api/auth/passkeys/:id": 404,
  "GET /api/api-keys/:id": 404,
  "PATCH /api/api-keys/:id": 404,
  "DELETE /api/api-keys/:id": 404,
  "POST /api/api-keys/:id/rotate": 404,
  "PATCH /api/admin/roles/:id": 403,
  "DELETE /api/admin/roles/:id": 403,
  "PATCH /api/admin/tenants/:id": 403,
  "DELETE /api/admin/tenants/:id": 403,
  "GET /api/admin/tenants/:id/members": 403,
  "POST /api/admin/tenants/:id/members": 403,
  "DELETE /api/admin/tenants/:id/members/:userId": 403,
  "GET /api/admin/users/:id/role-assignments": 403,
  "POST /api/admin/users/:id/role-assignments": 403,
  "DELETE /api/admin/users/:id/role-assignments/:role": 403,
  "GET /api/admin/users/:id": 403,
  "POST /api/admin/users/:id/lock": 403,
  "POST /api/admin/users/:id/unlock": 403,
  "POST /api/admin/users/:id/disable": 403,
  "POST /api/admin/users/:id/enable": 403,
  "POST /api/admin/users/:id/revoke-sessions": 403,
  "POST /api/admin/users/:id/roles": 403,
  "POST /api/admin/users/:id/reset-mfa": 403,
};

const BODIES: Readonly<Record<string, object>> = {
  "PATCH /api/products/:id": { name: "Mine" },
  "PATCH /api/auth/passkeys/:id": { name: "Mine" },
  "PATCH /api/api-keys/:id": { name: "Mine" },
  "PATCH /api/admin/roles/:id": { permissions: [] },
  "PATCH /api/admin/tenants/:id": { name: "Mine" },
  "POST /api/admin/tenants/:id/members": { userId: "01900000-0000-7000-8000-000000000000" },
  "POST /api/admin/users/:id/role-assignments": { role: "editor" },
  "POST /api/admin/users/:id/roles": { roles: ["user", "admin"] },
};

const routes = referenceRoutes(bulwark)
  .filter(({ path }) => path.includes("/:id"))
  .map(({ method, path }) => `${method} ${path}`);

const ids: Record<string, string> = {};
let stranger: Account;

beforeAll(async () => {
  await app.reset();
  const owner = await signUp();
  stranger = await signUp();
  const product = { name: "Lamp", price: 1, category: "home" };
  const made = await call("POST", "/api/products", { token: owner.token, body: product });
  ids["products"] = dataOf<{ id: string }>(made).id;
  const options = await call("POST", "/api/auth/passkeys/register/options", {
    token: owner.token,
    body: {},
  });
  const credential = new SoftwareAuthenticator(`http://localhost:${app.port}`).create(
    dataOf(options),
  );
  const added = await call("POST", "/api/auth/passkeys/register/verify", {
    token: owner.token,
    body: { credential },
  });
  const { accessToken: token, passkey } = dataOf<Tokens & { passkey: { id: string } }>(added);
  ids["passkeys"] = passkey.id;
  ids["users"] = owner.id;
  const me = await call("GET", "/api/auth/me", { token });
  ids["sessions"] = dataOf<{ sessionId: string }>(me).sessionId;
  const idOf = async (path: string, token: string, body: object): Promise<string> => {
    const made = await call("POST", path, { token, body });
    if (made.status !== 201) throw new Error(made.text);
    return dataOf<{ id: string }>(made).id;
  };
  ids["api-keys"] = await idOf("/api/api-keys", token, { name: "Key", scopes: ["products:read"] });
  const admin = await app.adminToken();
  ids["tenants"] = await idOf("/api/admin/tenants", admin, { name: "Acme" });
  const role = { name: "editor", permissions: ["products:read"], description: null };
  ids["roles"] = await idOf("/api/admin/roles", admin, role);
});

test("every route with an id has its row here", () => {
  expect(new Set(routes)).toEqual(new Set(Object.keys(EXPECTED)));
});

/** What the owner has, without the log of who asked for it, mail that is on its way, and how often somebody asked. */
const ownedRows = async (): Promise<string> =>
  (await dump())
    .split("\n")
    .filter((line) => !/^(bulwark\.(audit_events|mail_outbox)|redis bulwark:limit:)/.test(line))
    .map((line) => line.replace(/"last_seen_at":"[^"]*"/, ""))
    .sort()
    .join("\n");

test.each(Object.entries(EXPECTED))(
  "%s with somebody else's id: %d, and nothing is touched",
  async (route, status) => {
    const [method = "", path = ""] = route.split(" ");
    const kind = /\/([a-z-]+)\/:id/.exec(path)?.[1] ?? "";
    const id = ids[kind];
    if (id === undefined) throw new Error(`no ${kind} was made`);
    const before = await ownedRows();
    const body = BODIES[route] ?? (method === "POST" ? {} : undefined);
    const answer = await call(
      method,
      path.replace(":id", id).replace(":userId", stranger.id).replace(":role", "editor"),
      {
        token: stranger.token,
        ...(body === undefined ? {} : { body }),
      },
    );
    expect(answer.status).toBe(status);
    expect(await ownedRows()).toBe(before);
  },
);
