import { beforeEach, describe, expect, test } from "vitest";
import { apiKeyPattern } from "../../../src/api-keys/index.ts";
import { dataOf, testApp } from "../../support/app.ts";
import { eventsOf, keyRows, opener, READ, statusOf, WRITE } from "./support.ts";

const app = await testApp();
const { bulwark, call, clock } = app;
beforeEach(app.reset);

interface Created {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string;
}

const DAY = 86_400_000;
const BODY = { name: "nightly import", scopes: [READ] };
const create = (token: string, body: object = BODY) =>
  call("POST", "/api/api-keys", { token, body });

describe("POST /api/api-keys", () => {
  test("answers the key once, of the published form; it opens what its scopes say", async () => {
    const { token, id: userId } = await app.signUp();
    const made = await create(token);
    expect(made.status).toBe(201);
    const key = dataOf<Created>(made);
    expect(key).toEqual({
      id: expect.any(String),
      key: expect.stringMatching(apiKeyPattern()),
      name: "nightly import",
      scopes: [READ],
      expiresAt: new Date(clock.now() + 365 * DAY).toISOString(),
    });
    const { status, seen } = await opener(bulwark)({ "x-api-key": key.key });
    expect(status).toBe(200);
    const tenantId = null;
    expect(seen).toEqual({ kind: "userKey", keyId: key.id, userId, tenantId, scopes: [READ] });
  });

  test("stores the hash of the secret, and nothing that opens", async () => {
    const { token } = await app.signUp();
    const { key } = dataOf<Created>(await create(token));
    const dump = await app.dump();
    expect(dump).not.toContain(key);
    expect(dump).not.toContain(key.slice(-38, -6));
    const listed = await call("GET", "/api/api-keys", { token });
    expect(listed.text).not.toContain(key.slice(-38));
  });

  test.each<[what: string, body: object, field: string]>([
    ["no name", { scopes: [READ] }, "name"],
    ["an empty name", { ...BODY, name: "  " }, "name"],
    ["a name of two lines", { ...BODY, name: "a\nb" }, "name"],
    ["a name of 101 characters", { ...BODY, name: "a".repeat(101) }, "name"],
    ["an unknown scope", { ...BODY, scopes: ["products:fly"] }, "scopes.0"],
    ["a scope of a prototype's name", { ...BODY, scopes: [READ, "constructor"] }, "scopes.1"],
    ["a scope __proto__", { ...BODY, scopes: ["__proto__"] }, "scopes.0"],
    ["a life of no unit", { ...BODY, expiresIn: "90" }, "expiresIn"],
    ["a life of eleven years", { ...BODY, expiresIn: "4000d" }, "expiresIn"],
    ["an address that is none", { ...BODY, allowedAddresses: ["10.0.0"] }, "allowedAddresses.0"],
    ["a range too wide", { ...BODY, allowedAddresses: ["10.0.0.0/33"] }, "allowedAddresses.0"],
    ["an empty list of addresses", { ...BODY, allowedAddresses: [] }, "allowedAddresses"],
    [
      "a limit of none",
      { ...BODY, limits: [{ name: "a", requests: 0, window: "1m" }] },
      "limits.0.requests",
    ],
    [
      "a limit of no window",
      { ...BODY, limits: [{ name: "a", requests: 1, window: "x" }] },
      "limits.0.window",
    ],
    [
      "a limit of a year",
      { ...BODY, limits: [{ name: "a", requests: 1, window: "365d" }] },
      "limits.0.window",
    ],
    [
      "a limit of no name",
      { ...BODY, limits: [{ name: "A b", requests: 1, window: "1m" }] },
      "limits.0.name",
    ],
    [
      "two limits of one name",
      { ...BODY, limits: [1, 2].map((requests) => ({ name: "a", requests, window: "1m" })) },
      "limits.1.name",
    ],
    ["a quota of none", { ...BODY, monthlyQuota: 0 }, "monthlyQuota"],
    ["a quota of half a request", { ...BODY, monthlyQuota: 0.5 }, "monthlyQuota"],
    ["somebody's id", { ...BODY, userId: "018f0000-0000-7000-8000-000000000000" }, "userId"],
    ["a tenant", { ...BODY, tenantId: "018f0000-0000-7000-8000-000000000000" }, "tenantId"],
    ["a key of its own", { ...BODY, key: "bwk_live_x" }, "key"],
  ])("%s is 400 and makes no key", async (_what, body, field) => {
    const { token } = await app.signUp();
    const { status, json } = await create(token, body);
    expect(status).toBe(400);
    expect(json["details"]).toContainEqual(expect.objectContaining({ field }));
    expect(await keyRows(app)).toEqual([]);
  });

  test("a scope beyond what the owner may do is 403", async () => {
    const { token } = await app.signUp([]);
    const { status } = await create(token);
    expect(status).toBe(403);
    expect(await keyRows(app)).toEqual([]);
  });

  test("a sign-in that is too long ago is to be proved again", async () => {
    const { token } = await app.signUp();
    clock.advance(10 * 60_000);
    const { status, json } = await create(token);
    expect([status, json["code"]]).toEqual([401, "REAUTHENTICATION_REQUIRED"]);
    expect(await keyRows(app)).toEqual([]);
  });

  test("the fifty-first key is 409, also of sixty that are asked for at once", async () => {
    const { token } = await app.signUp();
    const answers = await Promise.all(Array.from({ length: 60 }, () => create(token)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(50);
    expect(statuses.filter((status) => status === 409)).toHaveLength(10);
    expect(await keyRows(app)).toHaveLength(50);
  });
});

describe("the keys of an owner", () => {
  test("GET lists them, the newest first, with what tells them apart", async () => {
    const { token } = await app.signUp();
    const first = dataOf<Created>(await create(token));
    clock.advance(1_000);
    const limits = [{ name: "burst", requests: 5, window: "1s" }];
    const second = dataOf<Created>(
      await create(token, {
        name: "other",
        scopes: [READ, WRITE, READ],
        expiresIn: "1h",
        allowedAddresses: ["192.0.2.0/24"],
        limits,
        monthlyQuota: 10,
      }),
    );
    const { status, json } = await call("GET", "/api/api-keys", { token });
    expect(status).toBe(200);
    const now = clock.now();
    expect(json["data"]).toEqual([
      {
        id: second.id,
        hint: second.key.slice(0, 31),
        name: "other",
        environment: "live",
        tenantId: null,
        scopes: [READ, WRITE],
        allowedAddresses: ["192.0.2.0/24"],
        limits,
        monthlyQuota: 10,
        state: "active",
        createdAt: new Date(now).toISOString(),
        expiresAt: new Date(now + 3_600_000).toISOString(),
        lastUsedAt: null,
        successorId: null,
      },
      expect.objectContaining({ id: first.id, allowedAddresses: null, limits: [] }),
    ]);
  });

  test("GET of one says how much it was used, by day", async () => {
    const { token } = await app.signUp();
    const { id, key } = dataOf<Created>(await create(token));
    for (let i = 0; i < 3; i += 1) expect(await statusOf(bulwark, key)).toBe(200);
    const used = new Date(clock.now());
    await bulwark.apiKeys.flush();
    expect(await statusOf(bulwark, key)).toBe(200);
    await bulwark.apiKeys.flush();
    const answer = await call("GET", `/api/api-keys/${id}`, { token });
    expect(dataOf(answer)).toMatchObject({
      id,
      lastUsedAt: used.toISOString(),
      usage: [{ day: used.toISOString().slice(0, 10), requests: 4 }],
    });
  });

  test("PATCH renames, disables and enables; a disabled key opens nothing at the next request", async () => {
    const { token } = await app.signUp();
    const { id, key } = dataOf<Created>(await create(token));
    const patch = (body: object) => call("PATCH", `/api/api-keys/${id}`, { token, body });
    expect(await statusOf(bulwark, key)).toBe(200);
    expect(dataOf(await patch({ enabled: false }))).toMatchObject({ state: "disabled" });
    expect(await statusOf(bulwark, key)).toBe(401);
    expect(dataOf(await patch({ name: "new", enabled: true }))).toMatchObject({
      state: "active",
      name: "new",
    });
    expect(await statusOf(bulwark, key)).toBe(200);
    expect((await patch({})).status).toBe(400);
    expect((await patch({ scopes: [WRITE] })).status).toBe(400);
    for (const type of ["apikey.disable", "apikey.enable"]) {
      expect(await eventsOf(app, type)).toMatchObject([{ resource: `api-key:${id}` }]);
    }
  });

  test("DELETE revokes: 200, then 404, and 401 for the key", async () => {
    const { token } = await app.signUp();
    const { id, key } = dataOf<Created>(await create(token));
    expect(await statusOf(bulwark, key)).toBe(200);
    const revoke = () => call("DELETE", `/api/api-keys/${id}`, { token });
    const answers = await Promise.all(Array.from({ length: 5 }, revoke));
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, 404, 404, 404, 404]);
    expect(await statusOf(bulwark, key)).toBe(401);
    expect(await keyRows(app)).toEqual([]);
    expect(await eventsOf(app, "apikey.revoke")).toHaveLength(1);
  });

  test.each(["GET", "PATCH", "DELETE"])("%s of an id that is none is 404", async (method) => {
    const { token } = await app.signUp();
    for (const id of ["1", "018f0000-0000-7000-8000-000000000000", "%00", "..%2f"]) {
      const body = method === "PATCH" ? { enabled: true } : undefined;
      const { status } = await call(method, `/api/api-keys/${id}`, { token, body });
      expect(status, id).toBe(404);
    }
  });
});

test("every change is in the audit log, with who made it and without the key", async () => {
  const { token, id: userId } = await app.signUp();
  const { id, key } = dataOf<Created>(await create(token));
  await call("POST", `/api/api-keys/${id}/rotate`, { token, body: {} });
  await call("DELETE", `/api/api-keys/${id}`, { token });
  for (const type of ["apikey.create", "apikey.rotate", "apikey.revoke"]) {
    const events = await eventsOf(app, type);
    expect(events, type).toMatchObject([{ user_id: userId, resource: `api-key:${id}` }]);
    expect(JSON.stringify(events)).not.toContain(key.slice(-38, -6));
  }
});
