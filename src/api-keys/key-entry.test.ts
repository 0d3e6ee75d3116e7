import { describe, expect, test } from "vitest";
import { limitPolicy } from "../core/index.ts";
import { sha256 } from "../crypto/index.ts";
import { entryOf, type KeyAccess, type KeyRow, refusalFor } from "./key-entry.ts";

const USER = "018f0000-0000-7000-8000-000000000001";
const TENANT = "018f0000-0000-7000-8000-000000000002";
const KEY = "018f0000-0000-7000-8000-000000000003";
const ceiling = limitPolicy("key", { requests: 1_200, window: "1m" });
const access: KeyAccess = {
  scopes: ["a:read", "a:write"],
  permissionsOf: ({ roles, permissions }) =>
    new Set([...(roles.includes("writer") ? ["a:read", "a:write"] : ["a:read"]), ...permissions]),
};
const row: KeyRow = {
  id: KEY,
  userId: USER,
  tenantId: null,
  name: "k",
  environment: "live",
  secretHash: sha256("secret"),
  scopes: ["a:read", "a:write", "gone:scope"],
  allowedAddresses: null,
  limits: [],
  monthlyQuota: null,
  quotaMonth: null,
  quotaUsed: 0,
  quotaLease: 0,
  createdAt: new Date(0),
  createdBy: null,
  expiresAt: new Date(1_000),
  disabledAt: null,
  lastUsedAt: null,
  successorId: null,
};
const owner = { roles: ["writer"], disabledAt: null, deleteAt: null };
const make = (
  change: Partial<KeyRow> = {},
  by: Partial<typeof owner> | null = {},
  read: unknown = [],
) =>
  entryOf({ ...row, ...change }, by === null ? null : { ...owner, ...by }, read, {
    access,
    ceiling,
  });
const shown = { digest: sha256("secret"), now: 999, address: undefined as string | undefined };

describe("a key is refused", () => {
  test.each<
    [what: string, entry: ReturnType<typeof make> | undefined, refusal: string | undefined]
  >([
    ["never while it and its owner are good", make(), undefined],
    ["where there is none", undefined, "unknown"],
    ["disabled", make({ disabledAt: new Date(0) }), "disabled"],
    ["with an owner who is gone", make({}, null, null), "owner"],
    ["with an owner who is disabled", make({}, { disabledAt: new Date(0) as never }), "owner"],
    ["with an owner about to be deleted", make({}, { deleteAt: new Date(9e12) as never }), "owner"],
    ["with an owner who left its tenant", make({ tenantId: TENANT }, {}, null), "owner"],
    ["never as a tenant's own", make({ userId: null, tenantId: TENANT }, null, null), undefined],
    ["without any owner", make({ userId: null }, null, null), "owner"],
  ])("%s", (_what, entry, refusal) => {
    expect(refusalFor(entry, shown)).toBe(refusal);
  });

  test.each([
    [999, undefined],
    [1_000, "expired"],
    [1_001, "expired"],
  ])("at %i", (now, refusal) => {
    expect(refusalFor(make(), { ...shown, now })).toBe(refusal);
  });

  test("by its secret before all else, so that a guess tells nothing apart", () => {
    const wrong = { ...shown, digest: sha256("guess"), now: 5_000 };
    for (const entry of [make(), make({ disabledAt: new Date(0) }), make({}, null)]) {
      expect(refusalFor(entry, wrong)).toBe("secret");
    }
    expect(refusalFor(make(), { ...shown, digest: new Uint8Array(31) })).toBe("secret");
    expect(refusalFor(make(), { ...shown, digest: new Uint8Array(0) })).toBe("secret");
  });
});

describe("addresses", () => {
  test.each<[list: readonly string[], address: string | undefined, allowed: boolean]>([
    [["192.0.2.0/24"], "192.0.2.255", true],
    [["192.0.2.0/24"], "192.0.3.0", false],
    [["192.0.2.0/24"], "::ffff:192.0.2.1", true],
    [["::ffff:192.0.2.0/120"], "192.0.2.1", true],
    [["192.0.2.1"], "192.0.2.1", true],
    [["192.0.2.1"], "192.0.2.2", false],
    [["2001:db8::/32"], "2001:db8:ffff::1", true],
    [["2001:db8::/32"], "2001:DB8:0:0:0:0:0:1", true],
    [["2001:db8::/32"], "2001:db9::1", false],
    [["0.0.0.0/0"], "2001:db8::1", false],
    [["::/0"], "192.0.2.1", false],
    [["0.0.0.0/0", "::/0"], undefined, false],
    [["0.0.0.0/0", "::/0"], "", false],
    [["0.0.0.0/0"], "0300.0.2.1", false],
    [["10.0.0.5/8"], "10.200.0.1", true],
  ])("%j and %s: %s", (allowedAddresses, address, allowed) => {
    const refusal = refusalFor(make({ allowedAddresses: [...allowedAddresses] }), {
      ...shown,
      address,
    });
    expect(refusal).toBe(allowed ? undefined : "address");
  });
});

describe("scopes are those that the owner may do now", () => {
  test.each<[roles: readonly string[], scopes: readonly string[]]>([
    [["writer"], ["a:read", "a:write"]],
    [["reader"], ["a:read"]],
    [[], ["a:read"]],
  ])("%j", (roles, scopes) => {
    const entry = make({}, { roles: [...roles] });
    expect(entry.data.scopes).toEqual(scopes);
    expect(entry.principal).toMatchObject({ kind: "userKey", userId: USER, scopes, roles });
  });

  test("those given for a time or at run time count, until they end", () => {
    const given = [{ role: "writer", until: 500, permissions: null }];
    const entry = make({}, { roles: [] }, given);
    expect([entry.data.scopes, entry.until]).toEqual([["a:read", "a:write"], 500]);
    const atRunTime = [{ role: "custom", until: null, permissions: ["a:write"] }];
    expect(make({}, { roles: [] }, atRunTime).data.scopes).toEqual(["a:read", "a:write"]);
  });

  test("those of a role that asks for a second factor do not count: no key can prove one", () => {
    const guarded = { ...access, holdsRole: (role: string) => role !== "writer" };
    const given = [{ role: "writer", until: null, permissions: ["a:write"] }];
    for (const [roles, read] of [
      [["reader", "writer"], []],
      [["reader"], given],
    ] as const) {
      const by = { ...owner, roles: [...roles] };
      const entry = entryOf(row, by, read, { access: guarded, ceiling });
      expect(entry.data.scopes).toEqual(["a:read"]);
      expect(entry.principal).toMatchObject({ roles: ["reader"], permissions: [] });
    }
  });

  test("a tenant's own are as they were given, as far as there are such scopes", () => {
    const entry = make({ userId: null, tenantId: TENANT }, null, null);
    expect(entry.principal).toEqual({
      kind: "tenantKey",
      tenantId: TENANT,
      keyId: KEY,
      via: "key",
      scopes: ["a:read", "a:write"],
      limits: [ceiling],
    });
  });
});

test("its limits are the one of every key and its own, told apart by name", () => {
  const limits = [{ name: "burst", requests: 5, window: "1s" }];
  const entry = make({ limits });
  const burst = { name: "key:burst", requests: 5, windowMs: 1_000, onFailure: "deny" };
  expect(entry.data.limits).toEqual([ceiling, burst]);
  expect(entry.limitRequests).toEqual(
    [ceiling, burst].map((policy) => ({ policy, key: `key:${KEY}` })),
  );
});
