import { eq, sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  allOf,
  anyOf,
  type Condition,
  can,
  cannot,
  defineAccess,
  equals,
  type FieldValue,
  inTenant,
  isIn,
  not,
  ownedBy,
  type Rule,
} from "../../../src/access/index.ts";
import type { Principal } from "../../../src/core/index.ts";
import { createQueryBuilder } from "../../../src/database/index.ts";
import { testApp } from "../../support/app.ts";
import { dropThings, makeThings, things } from "./things.ts";

// What a rule says of a row is the same, whether it is asked of the object or of the database.

type Row = typeof things.$inferSelect;

const { bulwark } = await testApp();
beforeAll(() => makeThings(bulwark));
afterAll(() => dropThings(bulwark));

const A = "01a20cea-0000-7000-8000-00000000000a";
const B = "01a20cea-0000-7000-8000-00000000000b";
const [NOON, LATER] = [new Date("2027-01-01T12:00:00.123Z"), new Date("1969-12-31T23:59:59.999Z")];

/** What a column may hold, and values near it that none can, or that SQL would take for it. */
const POOLS = {
  ownerId: [
    [A, B],
    [A.toUpperCase(), "", "x", `{${A}}`],
  ],
  teamId: [[A, B], [A.replaceAll("-", "")]],
  text: [
    ["", "a", "A", "a ", "\uFFFD", "'"],
    ["a\0", "\uD800", 0, true],
  ],
  code: [
    ["a", "1"],
    ["a ", 1, "x".repeat(30)],
  ],
  kind: [
    ["sold", "new"],
    ["old", "", "SOLD"],
  ],
  count: [
    [0, 1, -1],
    ["1", 1.5, 2 ** 40, 1n, true],
  ],
  ratio: [
    [0, -0, 1.5, 1e300],
    ["1.5", 1],
  ],
  wide: [
    [0n, 1n, 2n ** 62n],
    [1, 2n ** 70n, "1"],
  ],
  isOpen: [
    [true, false],
    ["true", 1, 0],
  ],
  at: [
    [NOON, LATER],
    [NOON.getTime(), NOON.toISOString(), new Date(8.64e15), new Date(-6e14)],
  ],
  exactly: [[NOON, LATER], ["now"]],
} as const satisfies Record<string, readonly [readonly FieldValue[], readonly FieldValue[]]>;
type Field = keyof typeof POOLS;
const FIELDS = Object.keys(POOLS) as Field[];

const held = (field: Field): fc.Arbitrary<unknown> =>
  fc.option(fc.constantFrom<unknown>(...POOLS[field][0]));
const asked = (field: Field): fc.Arbitrary<FieldValue> =>
  fc.option(fc.constantFrom<FieldValue>(...POOLS[field][0], ...POOLS[field][1]), { freq: 4 });

const field = fc.constantFrom(...FIELDS);
const { condition } = fc.letrec<{ condition: Condition; leaf: Condition }>((tie) => ({
  leaf: fc.oneof(
    fc.constant(ownedBy("ownerId")),
    fc.constant(inTenant("teamId")),
    field.chain((name) => asked(name).map((value) => equals(name, value))),
    field.chain((name) => fc.array(asked(name), { maxLength: 3 }).map((many) => isIn(name, many))),
  ),
  condition: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.array(tie("condition"), { maxLength: 3 }).map((of) => allOf(...of)),
    fc.array(tie("condition"), { maxLength: 3 }).map((of) => anyOf(...of)),
    tie("condition").map((of) => not(of)),
  ),
}));

const role = fc.constantFrom("user", "admin");
const where = fc.option(condition, { nil: undefined });
const rule: fc.Arbitrary<Rule> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ roles: fc.array(role, { minLength: 1 }), where })
      .map((o) => can("read", "thing", o)),
  },
  {
    weight: 2,
    arbitrary: where.map((each) =>
      can("read", "thing", { permission: "things:read", where: each }),
    ),
  },
  { weight: 1, arbitrary: condition.map((each) => can("read", "thing", { where: each })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ exceptRoles: fc.array(role), where: condition })
      .map((o) => cannot("read", "thing", o)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ roles: fc.array(role), where: condition })
      .map((o) => cannot("read", "thing", o)),
  },
  {
    weight: 1,
    arbitrary: condition.map((each) => cannot("read", "thing", { fields: ["text"], where: each })),
  },
);

const id = fc.constantFrom(A, B);
const tenantId = fc.option(id, { nil: undefined });
const permissions = fc.subarray(["things:read", "things:gone"]);
const roles = fc.subarray(["user", "admin", "made-at-run-time"]);
const scopes = fc.subarray(["things:read", "other:scope"]);
const principal: fc.Arbitrary<Principal> = fc.oneof(
  fc.record({ userId: id, tenantId, roles, permissions }).map(
    (facts): Principal => ({
      kind: "user",
      sessionId: "s",
      via: "bearer",
      methods: [],
      ...facts,
    }),
  ),
  fc
    .record({ userId: id, tenantId, roles, permissions, scopes })
    .map((facts): Principal => ({ kind: "userKey", keyId: "k", via: "key", ...facts })),
  fc
    .record({ tenantId: id, scopes })
    .map((facts): Principal => ({ kind: "tenantKey", keyId: "k", via: "key", ...facts })),
);

const modelOf = (rules: readonly Rule[]) =>
  defineAccess({
    permissions: ["things:read"],
    roles: {
      user: { permissions: ["things:read"] },
      admin: { includes: ["user"] },
    },
    subjects: { thing: { fields: [...FIELDS, "rough"] } },
    rules: rules as never,
  });

async function fill(): Promise<readonly Row[]> {
  const values = fc.sample(
    fc.record(Object.fromEntries(FIELDS.map((name) => [name, held(name)]))),
    {
      numRuns: 60,
      seed: 1,
    },
  );
  const rows = values.map((row) => ({ ...row, id: crypto.randomUUID() }) as Row);
  await bulwark.database.run((orm) => orm.insert(things).values(rows));
  // Microseconds that no Date of JavaScript shows.
  await bulwark.database.run((orm) =>
    orm
      .update(things)
      .set({ exactly: sql`${things.exactly} + interval '456 microseconds'` })
      .where(eq(things.isOpen, true)),
  );
  return bulwark.database.run((orm) => orm.select().from(things));
}

test("a list is exactly what the same rules allow of each object", async () => {
  const rows = await fill();
  let kept = 0;
  let part = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { minLength: 1, maxLength: 6 }),
      principal,
      async (rules, who) => {
        const access = modelOf(rules);
        const found = await createQueryBuilder(things, { database: bulwark.database })
          .where(access.filter({ principal: who }, "read", "thing", things))
          .select("id")
          .limit(100)
          .execute();
        const listed = found.map((row) => row.id).sort();
        const allowed = rows
          .filter((row) => access.can(who, "read", "thing", row))
          .map((row) => row.id);
        expect(listed).toEqual(allowed.sort());
        for (const row of rows.slice(0, 5)) {
          expect(access.explain(who, "read", "thing", row).allowed).toBe(allowed.includes(row.id));
        }
        kept += listed.length;
        if (listed.length > 0 && listed.length < rows.length) part += 1;
      },
    ),
    { numRuns: 600, seed: 20270101 },
  );
  // The property says nothing of rules that allow all or nothing, and these are not all of that kind.
  expect(kept).toBeGreaterThan(1_000);
  expect(part).toBeGreaterThan(60);
});

test("a condition that stands in the UPDATE changes no other row", async () => {
  await bulwark.database.run((orm) => orm.delete(things));
  await fill();
  const access = modelOf([can("update", "thing", { roles: ["user"], where: ownedBy("ownerId") })]);
  const who: Principal = {
    kind: "user",
    userId: A,
    roles: ["user"],
    sessionId: "s",
    via: "bearer",
    methods: [],
  };
  const changed = await bulwark.database.run((orm) =>
    orm
      .update(things)
      .set({ code: "mine" })
      .where(access.filter({ principal: who }, "update", "thing", things))
      .returning(),
  );
  expect(changed.length).toBeGreaterThan(5);
  expect(new Set(changed.map(({ ownerId }) => ownerId))).toEqual(new Set([A]));
  const mine = await bulwark.database.run((orm) =>
    orm.select().from(things).where(eq(things.code, "mine")),
  );
  expect(mine.length).toBe(changed.length);
});

test.each([
  ["nobody", undefined],
  [
    "one whom no rule is about",
    { kind: "user", userId: A, roles: [], sessionId: "s", via: "bearer", methods: [] },
  ],
] as const)("%s finds no row", async (_who, who) => {
  const access = modelOf([can("read", "thing", { roles: ["user"] })]);
  const filter = access.filter({ principal: who }, "read", "thing", things);
  expect(await bulwark.database.run((orm) => orm.select().from(things).where(filter))).toEqual([]);
});

test("a column that SQL compares otherwise is refused", () => {
  const access = modelOf([can("read", "thing", { where: equals("rough", 0.1) })]);
  const who: Principal = {
    kind: "user",
    userId: A,
    roles: [],
    sessionId: "s",
    via: "bearer",
    methods: [],
  };
  expect(() => access.filter({ principal: who }, "read", "thing", things)).toThrow(
    "filter: column rough: expected a uuid, text",
  );
});
