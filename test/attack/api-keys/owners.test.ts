import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import type { CreatedAPIKey } from "../../../src/api-keys/index.ts";
import type { UserKeyPrincipal } from "../../../src/core/index.ts";
import { type Account, type Answer, dataOf, testApp } from "../../support/app.ts";
import {
  keyRows,
  makeKey,
  makeTenant,
  READ,
  statusOf,
  tokenOf,
  WRITE,
} from "../../system/api-keys/support.ts";

const app = await testApp();
const { bulwark, call, clock } = app;
beforeEach(app.reset);

const HOUR = 3_600_000;
const MISSING = "018f0000-0000-7000-8000-000000000000";

/** Every route that names a key. */
const ROUTES: readonly (readonly [method: string, rest: string, body: object | undefined])[] = [
  ["GET", "", undefined],
  ["PATCH", "", { enabled: false }],
  ["POST", "/rotate", { overlap: "1h" }],
  ["DELETE", "", undefined],
];

const ask = (
  [method, rest, body]: (typeof ROUTES)[number],
  id: string,
  how: { token?: string; headers?: Record<string, string> },
): Promise<Answer> => call(method, `/api/api-keys/${id}${rest}`, { ...how, body });

// GHSA-4vcf: a user acted on the id of another's key. CVE-2025-61928: the owner was taken from the body.
describe("a key of somebody else", () => {
  test.each(ROUTES)("%s %s is not found, and no row is touched", async (...route) => {
    const owner = await app.signUp();
    const { id, key } = await makeKey(app, owner);
    const before = await keyRows(app);
    for (const stranger of [await app.signUp(), await app.signUp(["user", "admin"])]) {
      const { token } = stranger;
      const theirs = await ask(route, id, { token });
      const missing = await ask(route, MISSING, { token });
      expect([theirs.status, theirs.json["error"]]).toEqual([404, missing.json["error"]]);
    }
    expect(await keyRows(app)).toEqual(before);
    expect(await statusOf(bulwark, key)).toBe(200);
  });

  test.each(ROUTES)("%s %s of another tenant's is not found either", async (...route) => {
    const member = await app.signUp();
    // A session acts in the tenant that its user joined first.
    const here = await makeTenant(app, member);
    clock.advance(1_000);
    const there = await makeTenant(app, member);
    const scopes = [READ];
    const make = (owner: { userId?: string; tenantId: string }) =>
      bulwark.apiKeys.create({ name: "k", scopes }, owner as { tenantId: string }, undefined, {});
    const keys = [
      await make({ userId: member.id, tenantId: there }),
      await make({ tenantId: there }),
      await make({ tenantId: here }),
    ];
    const before = await keyRows(app);
    const token = await tokenOf(app, member);
    for (const { id } of keys) expect((await ask(route, id, { token })).status).toBe(404);
    expect(await keyRows(app)).toEqual(before);
    expect(dataOf(await call("GET", "/api/api-keys", { token }))).toEqual([]);
  });

  test("who is not signed in gets 401, whatever the body says", async () => {
    const victim = await app.signUp();
    const { id } = await makeKey(app, victim);
    const before = await keyRows(app);
    const body = { name: "x", scopes: [READ], userId: victim.id };
    expect((await call("POST", "/api/api-keys", { body })).status).toBe(401);
    expect((await call("GET", "/api/api-keys")).status).toBe(401);
    for (const route of ROUTES) expect((await ask(route, id, {})).status).toBe(401);
    expect(await keyRows(app)).toEqual(before);
  });
});

describe("a key makes, lists, rotates and revokes none", () => {
  test("by its routes", async () => {
    const account = await app.signUp();
    const { id, key } = await makeKey(app, account, { scopes: [READ, WRITE] });
    const before = await keyRows(app);
    const headers = { "x-api-key": key };
    const body = { name: "x", scopes: [READ] };
    expect((await call("POST", "/api/api-keys", { headers, body })).status).toBe(403);
    expect((await call("GET", "/api/api-keys", { headers })).status).toBe(403);
    for (const route of ROUTES) expect((await ask(route, id, { headers })).status).toBe(403);
    expect(await keyRows(app)).toEqual(before);
  });

  test("nor by its service", async () => {
    const account = await app.signUp();
    const { id } = await makeKey(app, account);
    const owner = { userId: account.id };
    const principal: UserKeyPrincipal = {
      kind: "userKey",
      userId: account.id,
      keyId: id,
      via: "key",
      scopes: [READ],
      roles: ["user"],
    };
    const context = { principal };
    const { apiKeys } = bulwark;
    const works = [
      () => apiKeys.create({ name: "x", scopes: [] }, owner, principal, context),
      () => apiKeys.list(owner, context),
      () => apiKeys.get(id, owner, context),
      () => apiKeys.rotate(id, owner, principal, {}, context),
      () => apiKeys.update(id, owner, { enabled: false }, context),
      () => apiKeys.revoke(id, owner, context),
    ];
    for (const work of works) await expect(work()).rejects.toThrow("A key cannot do this.");
    expect(await keyRows(app)).toHaveLength(1);
  });
});

describe("rotation", () => {
  const rotate = (token: string, id: string, body: object = {}) =>
    call("POST", `/api/api-keys/${id}/rotate`, { token, body });

  async function begin(): Promise<Account & { readonly made: CreatedAPIKey }> {
    const account = await app.signUp();
    const allowedAddresses = ["192.0.2.0/24"];
    const made = await makeKey(app, account, { expiresIn: "10h", allowedAddresses });
    return { ...account, made };
  }

  test("at once: the old key is refused and the new one has what the old one had", async () => {
    const { token, made } = await begin();
    const answer = await rotate(token, made.id);
    expect(answer.status).toBe(201);
    const next = dataOf<CreatedAPIKey>(answer);
    expect(next).toEqual({ ...made, id: next.id, key: next.key });
    expect(next.key).not.toBe(made.key);
    expect(await statusOf(bulwark, made.key)).toBe(401);
    expect(await statusOf(bulwark, next.key)).toBe(200);
    expect(await statusOf(bulwark, next.key, "198.51.100.1")).toBe(401);
  });

  test("with an overlap: both are good until it is over", async () => {
    const { token, made } = await begin();
    const next = dataOf<CreatedAPIKey>(await rotate(token, made.id, { overlap: "1h" }));
    const both = async () => [await statusOf(bulwark, made.key), await statusOf(bulwark, next.key)];
    expect(await both()).toEqual([200, 200]);
    clock.advance(HOUR - 1);
    expect(await both()).toEqual([200, 200]);
    clock.advance(1);
    expect(await both()).toEqual([401, 200]);
  });

  // unkey#5892: rotating a key about to expire made it live on.
  test.each([
    ["the overlap ends with the old key", { overlap: "100d" }],
    ["and so does the new key, unless another end is asked for", { overlap: "0" }],
  ])("never makes the old key live on: %s", async (_what, body) => {
    const { token, made } = await begin();
    clock.advance(9 * 60_000);
    const next = dataOf<CreatedAPIKey>(await rotate(token, made.id, body));
    expect(next.expiresAt).toBe(made.expiresAt);
    clock.advance(10 * HOUR - 9 * 60_000);
    expect(await statusOf(bulwark, made.key)).toBe(401);
    expect(await statusOf(bulwark, next.key)).toBe(401);
  });

  test("asks for another end by expiresIn", async () => {
    const { token, made } = await begin();
    const next = dataOf<CreatedAPIKey>(await rotate(token, made.id, { expiresIn: "30d" }));
    expect(next.expiresAt).toBe(new Date(clock.now() + 30 * 24 * HOUR).toISOString());
  });

  test("twenty at once make one successor", async () => {
    const { token, made } = await begin();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => rotate(token, made.id, { overlap: "1h" })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
    expect(await keyRows(app)).toHaveLength(2);
  });

  test.each([
    ["one that is over", async () => clock.advance(10 * HOUR)],
    ["one that is disabled", () => app.query(sql`UPDATE bulwark.api_keys SET disabled_at = now()`)],
  ])("of %s is 409, and makes no key", async (_what, end) => {
    const account = await begin();
    await end();
    const token = await tokenOf(app, account);
    expect((await rotate(token, account.made.id)).status).toBe(409);
    expect(await keyRows(app)).toHaveLength(1);
  });

  test("drops scopes that the owner has lost", async () => {
    const account = await app.signUp();
    const { id } = await makeKey(app, account, { scopes: [READ, WRITE] });
    await bulwark.accounts.setRoles(account.id, [], {});
    const next = dataOf<CreatedAPIKey>(await rotate(await tokenOf(app, account), id));
    expect(next.scopes).toEqual([]);
  });

  test.each([{ overlap: "1x" }, { overlap: -1 }, { expiresIn: "9999d" }, { userId: MISSING }])(
    "%j is 400",
    async (body) => {
      const { token, made } = await begin();
      expect((await rotate(token, made.id, body)).status).toBe(400);
      expect(await keyRows(app)).toHaveLength(1);
    },
  );

  test("needs a recent sign-in, as making and revoking do", async () => {
    const { token, made } = await begin();
    clock.advance(600_000);
    for (const route of ROUTES.slice(1)) {
      const { status, json } = await ask(route, made.id, { token });
      expect([status, json["code"]]).toEqual([401, "REAUTHENTICATION_REQUIRED"]);
    }
  });
});
