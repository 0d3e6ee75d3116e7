import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { requireRoles } from "../../../src/access/index.ts";
import { type AnyRoute, createRouter, ResponseBuilder } from "../../../src/core/index.ts";
import { dataOf, PASSWORD, testApp } from "../../support/app.ts";
import {
  dropNotes,
  makeNotes,
  makeTenants,
  NoteService,
  notes,
  TENANTS,
} from "../../system/tenants/support.ts";

// Rows of tenants: every route on them, for everybody, in each tenant and outside of any.

const { bulwark, call, clock, query, reset, signUp } = await testApp();
const { AuthenticatedAPIHandler } = bulwark.handlers;
const service = new NoteService(bulwark);

const Body = z.strictObject({ text: z.string().max(100) });
const path = "/api/notes/:id" as const;
const routes: readonly AnyRoute[] = [
  AuthenticatedAPIHandler.GET(
    async (context) =>
      ResponseBuilder.fromQueryResult(await service.getAll({ page: 1, limit: 50 }, context)),
    { path: "/api/notes", requireAuth: true },
  ),
  AuthenticatedAPIHandler.POST(
    async (context) => ResponseBuilder.created(await service.create(context.body, context)),
    { path: "/api/notes", requireAuth: true, body: Body },
  ),
  AuthenticatedAPIHandler.GET((context) => service.getById(context.params.id, context), {
    path,
    requireAuth: true,
  }),
  AuthenticatedAPIHandler.PATCH(
    (context) => service.update(context.params.id, context.body, context),
    { path, requireAuth: true, body: Body },
  ),
  AuthenticatedAPIHandler.DELETE((context) => service.delete(context.params.id, context), {
    path,
    requireAuth: true,
  }),
  // One that forgets every condition: the second wall is all that it has.
  AuthenticatedAPIHandler.POST(
    requireRoles("user")((context) =>
      bulwark.database.inTenant(context.tenantId, async (tx) => {
        await tx.update(notes).set({ text: "all of them" });
        return (await tx.select().from(notes)).length;
      }),
    ),
    { path: "/api/notes/forgetful", requireAuth: true },
  ),
];
const router = createRouter(AuthenticatedAPIHandler, routes);

type Tenant = keyof typeof TENANTS;
const ROW: Readonly<Record<Tenant, string>> = {
  a: "01a20cea-0000-7000-8000-0000000000a1",
  b: "01a20cea-0000-7000-8000-0000000000b1",
};

beforeAll(() => makeNotes(bulwark));
afterAll(() => dropNotes(bulwark));
beforeEach(async () => {
  await reset();
  await makeTenants(bulwark);
  await bulwark.database.insecureAcrossTenants(async (tx) => {
    await tx.delete(notes);
    for (const name of ["a", "b"] as const) {
      const row = { id: ROW[name], tenantId: TENANTS[name], text: name, createdAt: new Date(0) };
      await tx.insert(notes).values(row);
    }
  });
});

async function tokenOf(roles: readonly string[], tenants: readonly Tenant[]): Promise<string> {
  const { id, email } = await signUp(roles);
  for (const tenant of tenants) {
    await bulwark.tenants.addMember(TENANTS[tenant], id, "system");
    clock.advance(1);
  }
  const signedIn = await bulwark.auth.login({ email, password: PASSWORD }, {});
  if (signedIn.mode !== "token") throw new Error("expected tokens");
  return signedIn.accessToken;
}

interface Told {
  readonly status: number;
  readonly data: unknown;
}

async function ask(token: string, method: string, target: string, body?: unknown): Promise<Told> {
  const request = new Request(`${bulwark.issuer}${target}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await router(request, { peer: "127.0.0.1" });
  const json = (await response.json()) as { data?: unknown };
  return { status: response.status, data: json.data };
}

const rowsOf = (tenant: Tenant) =>
  query(
    sql`SELECT id, text FROM tenants_test.notes WHERE tenant_id = ${TENANTS[tenant]} ORDER BY id`,
  );

const PERSONAS: readonly (readonly [who: string, roles: string[], tenants: Tenant[]])[] = [
  ["a user of a", ["user"], ["a"]],
  ["a user of b", ["user"], ["b"]],
  ["a moderator of a", ["user", "moderator"], ["a"]],
  ["an admin of b", ["user", "admin"], ["b"]],
  ["an admin of both, who acts in a", ["user", "admin"], ["a", "b"]],
  ["a user of none", ["user"], []],
  ["an admin of none", ["user", "admin"], []],
];

test.each(PERSONAS)(
  "%s reaches the rows of their tenant, and no other",
  async (_who, roles, tenants) => {
    const token = await tokenOf(roles, tenants);
    const own = tenants[0];
    const others = (["a", "b"] as const).filter((tenant) => tenant !== own);
    const before = await Promise.all(others.map(rowsOf));

    const list = await ask(token, "GET", "/api/notes");
    expect((list.data as { id: string }[]).map(({ id }) => id)).toEqual(
      own === undefined ? [] : [ROW[own]],
    );
    for (const other of others) {
      const target = `/api/notes/${ROW[other]}`;
      expect((await ask(token, "GET", target)).status).toBe(404);
      expect((await ask(token, "PATCH", target, { text: "taken" })).status).toBe(404);
      expect((await ask(token, "DELETE", target)).status).toBe(404);
    }
    const claimed = await ask(token, "POST", "/api/notes", { text: "x", tenantId: TENANTS.b });
    expect(claimed.status).toBe(400);
    const made = await ask(token, "POST", "/api/notes", { text: "new" });
    expect(made.status).toBe(own === undefined ? 403 : 201);
    expect((await ask(token, "POST", "/api/notes/forgetful")).data).toBe(own === undefined ? 0 : 2);
    if (own !== undefined) {
      const target = `/api/notes/${ROW[own]}`;
      expect((await ask(token, "GET", target)).status).toBe(200);
      expect((await ask(token, "PATCH", target, { text: "mine" })).status).toBe(200);
      expect((await ask(token, "DELETE", target)).status).toBe(200);
      expect(await rowsOf(own)).toHaveLength(1);
    }
    expect(await Promise.all(others.map(rowsOf))).toEqual(before);
  },
);

test("who switches reaches the rows of the other tenant, and those of the first no more", async () => {
  const token = await tokenOf(["user"], ["a", "b"]);
  const body = { tenantId: TENANTS.b };
  const switched = await call("POST", "/api/auth/tenants/switch", { token, body });
  const { accessToken } = dataOf<{ accessToken: string }>(switched);
  expect((await ask(accessToken, "GET", `/api/notes/${ROW.b}`)).status).toBe(200);
  expect((await ask(accessToken, "GET", `/api/notes/${ROW.a}`)).status).toBe(404);
  expect((await ask(token, "GET", `/api/notes/${ROW.a}`)).status).toBe(401);
  const out = await call("POST", "/api/auth/tenants/switch", {
    token: accessToken,
    body: { tenantId: null },
  });
  const outside = dataOf<{ accessToken: string }>(out).accessToken;
  expect((await ask(outside, "GET", "/api/notes")).data).toEqual([]);
});
