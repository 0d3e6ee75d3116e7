import fc from "fast-check";
import { expect, test } from "vitest";
import type { Principal } from "../core/index.ts";
import { allOf, anyOf, can, cannot, defineAccess, equals, isIn, not, ownedBy } from "./index.ts";

// What the index remembers and what it merges into one graph changes no answer.

const MANY = Array.from({ length: 20 }, (_, i) => `s${i}`);
const DAYS = [new Date(0), new Date(86_400_000)];

const access = defineAccess({
  permissions: ["docs:read"],
  roles: { user: { permissions: ["docs:read"] }, editor: { includes: ["user"] }, guest: {} },
  subjects: {
    doc: { fields: ["ownerId", "status", "at"] },
    note: { fields: ["ownerId", "status", "at"] },
  },
  rules: [
    can("read", "doc", { permission: "docs:read" }),
    can("read", "note", { where: ownedBy("ownerId") }),
    can(["update", "delete"], "doc", {
      roles: ["editor"],
      where: anyOf(ownedBy("ownerId"), not(isIn("status", MANY))),
    }),
    can("update", "note", { roles: ["user"], where: isIn("status", MANY) }),
    can("update", "note", { roles: ["guest"], where: isIn("at", [...DAYS, null]) }),
    cannot("update", "note", { roles: ["user"], where: equals("status", "s1"), name: "held" }),
    cannot("delete", "doc", { where: allOf(equals("status", "s2"), not(ownedBy("ownerId"))) }),
    cannot("read", "doc", { exceptRoles: ["editor"], where: equals("status", "draft") }),
    cannot("read", "doc", { fields: ["status"] }),
  ],
});

const principal: fc.Arbitrary<Principal> = fc
  .record({
    roles: fc.subarray(["user", "editor", "guest", "made-at-run-time", "__proto__"], {
      maxLength: 2,
    }),
    permissions: fc.option(fc.subarray(["docs:read"]), { nil: undefined }),
    userId: fc.constantFrom("u", "v"),
  })
  .map((who) => ({ ...who, kind: "user", sessionId: "s", via: "bearer", methods: [] }));

const object = fc.record(
  {
    ownerId: fc.constantFrom("u", "v", null),
    status: fc.constantFrom("s1", "s2", "s19", "draft", null, undefined),
    at: fc.constantFrom<unknown>(new Date(0), new Date(1), 0, null),
  },
  { requiredKeys: [] },
);

const question = fc.record({
  principal,
  object,
  action: fc.constantFrom<string>("read", "update", "delete", "create", "constructor"),
  subject: fc.constantFrom<string>("doc", "note", "gone", "__proto__"),
});

test("a decision is the same whatever was asked before it, and what explain says", () => {
  let allowed = 0;
  fc.assert(
    fc.property(fc.array(question, { minLength: 2, maxLength: 30 }), (questions) => {
      for (const { principal: who, action, subject, object: of } of questions) {
        const [about, what] = [action as "read", subject as "doc"];
        const may = access.can(who, about, what, of as object);
        expect(may).toBe(access.explain(who, about, what, of as object).allowed);
        if (may) allowed += 1;
      }
    }),
    { numRuns: 500 },
  );
  expect(allowed).toBeGreaterThan(100);
});

test.each<[value: unknown, may: boolean]>([
  ["s0", true],
  ["s19", true],
  ["s20", false],
  [undefined, false],
  [null, false],
  [Number.NaN, false],
])("of twenty values, %s is found: %s", (status, may) => {
  const who = { kind: "user", userId: "u", sessionId: "s", via: "bearer", methods: [] } as const;
  expect(access.can({ ...who, roles: ["user"] }, "update", "note", { status })).toBe(may);
});

test("a getter that asks in turn does not change the answer", () => {
  const who = { kind: "user", userId: "u", sessionId: "s", via: "bearer", methods: [] } as const;
  const asking = {
    get ownerId() {
      access.can({ ...who, roles: ["editor"] }, "delete", "doc", { ownerId: "u" });
      return "v";
    },
  };
  expect(access.can({ ...who, roles: [] }, "read", "note", asking)).toBe(false);
  expect(access.can({ ...who, roles: [] }, "read", "note", { ownerId: "u" })).toBe(true);
});
