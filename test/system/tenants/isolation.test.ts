import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Principal, RequestContext } from "../../../src/core/index.ts";
import { createQueryBuilder } from "../../../src/database/index.ts";
import { testApp } from "../../support/app.ts";
import {
  BareNoteService,
  bareNotes,
  dropNotes,
  makeNotes,
  NoteService,
  notes,
  TENANTS,
} from "./support.ts";

const { bulwark, query, reset } = await testApp();
const { database } = bulwark;
const service = new NoteService(bulwark);

const ROW = {
  a: "01a20cea-0000-7000-8000-0000000000a1",
  b: "01a20cea-0000-7000-8000-0000000000b1",
} as const;

/** The context of somebody's request, as far as these services read it. */
const contextOf = (tenantId: string | undefined): RequestContext<true> => {
  const userId = "01a20cea-0000-7000-8000-0000000000ff";
  const principal: Principal = {
    kind: "user",
    userId,
    sessionId: userId,
    via: "bearer",
    methods: [],
    tenantId,
    roles: ["user"],
  };
  return { principal, userId, roles: ["user"], tenantId } as unknown as RequestContext<true>;
};
const inA = contextOf(TENANTS.a);
const inNone = contextOf(undefined);

const all = () => query(sql`SELECT id, tenant_id, text FROM tenants_test.notes ORDER BY id`);

beforeAll(() => makeNotes(bulwark));
afterAll(() => dropNotes(bulwark));
beforeEach(async () => {
  await reset();
  await database.insecureAcrossTenants(async (tx) => {
    await tx.delete(notes);
    await tx.insert(notes).values(
      (["a", "b"] as const).map((name) => ({
        id: ROW[name],
        tenantId: TENANTS[name],
        text: name,
        createdAt: new Date(0),
      })),
    );
  });
});

describe("the query builder", () => {
  test.each([
    ["a member of a", TENANTS.a, [ROW.a]],
    ["a member of b", TENANTS.b, [ROW.b]],
    ["a member of none", undefined, []],
  ])("shows %s its tenant's rows", async (_who, tenantId, expected) => {
    const builder = bulwark.createQueryBuilder(notes, contextOf(tenantId));
    expect((await builder.execute()).map(({ id }) => id)).toEqual(expected);
    expect(await builder.count()).toBe(expected.length);
    expect(await builder.where(notes.id, ROW.b).exists()).toBe(tenantId === TENANTS.b);
    expect(await builder.where(notes.tenantId, TENANTS.b).count()).toBe(
      tenantId === TENANTS.b ? 1 : 0,
    );
    const page = await builder.executeKeyset({ limit: 10 });
    expect(page.data.map(({ id }) => id)).toEqual(expected);
  });

  test("of such a table does not start without saying whose rows it reads", async () => {
    expect(() => createQueryBuilder(notes, { database })).toThrow(
      "createQueryBuilder: expected the context of a request for a table with tenantId",
    );
    const everyone = createQueryBuilder(notes, { database, insecureAcrossTenants: true });
    expect(await everyone.count()).toBe(2);
  });

  test("holds in a transaction of the caller's, too", async () => {
    await database.transaction(async (tx) => {
      const builder = createQueryBuilder(notes, { database, tx, context: inA });
      expect(await builder.count()).toBe(1);
    });
  });
});

describe("a service", () => {
  const another: readonly (readonly [what: string, run: () => Promise<unknown>])[] = [
    ["reads", () => service.getById(ROW.b, inA)],
    ["changes", () => service.update(ROW.b, { text: "taken" }, inA)],
    ["deletes", () => service.delete(ROW.b, inA)],
    ["reads, from no tenant,", () => service.getById(ROW.a, inNone)],
    ["changes, from no tenant,", () => service.update(ROW.a, { text: "taken" }, inNone)],
  ];
  test.each(another)("that %s another tenant's row finds none", async (_what, run) => {
    const before = await all();
    await expect(run()).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await all()).toEqual(before);
  });

  test("lists its own", async () => {
    const { data, pagination } = await service.getAll({ page: 1, limit: 10 }, inA);
    expect(data.map(({ id }) => id)).toEqual([ROW.a]);
    expect(pagination.total).toBe(1);
  });

  test("writes into the caller's tenant, whatever is asked for", async () => {
    const asked = { text: "new", tenantId: TENANTS.b };
    const created = await service.create(asked, inA);
    expect(created.tenantId).toBe(TENANTS.a);
    const moved = await service.update(created.id, asked, inA);
    expect(moved.tenantId).toBe(TENANTS.a);
    await service.delete(created.id, inA);
    expect(await all()).toHaveLength(2);
    const recorded = await query(sql`SELECT type FROM bulwark.audit_events ORDER BY 1`);
    expect(recorded.map(({ type }) => type)).toEqual(["note.create", "note.delete", "note.update"]);
  });

  test("does not write outside of any tenant", async () => {
    await expect(service.create({ text: "x" }, inNone)).rejects.toMatchObject({
      code: "FORBIDDEN",
    });
    expect(await all()).toHaveLength(2);
  });
});

describe("a service on a table that has no policy", () => {
  const bare = new BareNoteService(bulwark);
  const rows = () => query(sql`SELECT id, text FROM tenants_test.bare_notes ORDER BY id`);
  beforeEach(async () => {
    await database.run(async (orm) => {
      await orm.delete(bareNotes);
      await orm.insert(bareNotes).values(
        (["a", "b"] as const).map((name) => ({
          id: ROW[name],
          tenantId: TENANTS[name],
          text: name,
        })),
      );
    });
  });

  test.each<[what: string, run: () => Promise<unknown>]>([
    ["reads", () => bare.getById(ROW.b, inA)],
    ["changes", () => bare.update(ROW.b, { text: "taken" }, inA)],
    ["deletes", () => bare.delete(ROW.b, inA)],
  ])("and %s another tenant's row finds none", async (_what, run) => {
    const before = await rows();
    await expect(run()).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await rows()).toEqual(before);
  });

  test("reaches its own", async () => {
    expect((await bare.update(ROW.a, { text: "mine" }, inA)).text).toBe("mine");
    await bare.delete(ROW.a, inA);
    expect((await rows()).map(({ id }) => id)).toEqual([ROW.b]);
  });
});

describe("row-level security, where a statement forgets its tenant", () => {
  const ids = async (tenantId: string | undefined): Promise<string[]> =>
    database.inTenant(tenantId, async (tx) =>
      (await tx.select({ id: notes.id }).from(notes)).map(({ id }) => id),
    );

  test("shows the tenant's rows alone", async () => {
    expect(await ids(TENANTS.a)).toEqual([ROW.a]);
    expect(await ids(TENANTS.b)).toEqual([ROW.b]);
    expect(await ids(undefined)).toEqual([]);
    expect(await ids("*; --")).toEqual([]);
    expect(await ids("*")).toEqual([]);
  });

  test("changes and deletes no other row", async () => {
    await database.inTenant(TENANTS.a, async (tx) => {
      await tx.update(notes).set({ text: "taken" });
      await tx.delete(notes).where(eq(notes.id, ROW.b));
    });
    expect((await all()).map(({ text }) => text)).toEqual(["taken", "b"]);
  });

  test.each<[what: string, write: Parameters<typeof database.inTenant>[1]]>([
    [
      "a new row of another tenant",
      (tx) =>
        tx.insert(notes).values({
          id: ROW.a.replace("a1", "a9"),
          tenantId: TENANTS.b,
          text: "",
          createdAt: new Date(),
        }),
    ],
    ["a row given to another tenant", (tx) => tx.update(notes).set({ tenantId: TENANTS.b })],
  ])("refuses %s", async (_what, write) => {
    const before = await all();
    await expect(database.inTenant(TENANTS.a, write)).rejects.toMatchObject({
      code: "DATABASE_ERROR",
    });
    expect(await all()).toEqual(before);
  });

  test("ends with its transaction: the connection's next user is bound by its own", async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const tenant = turn % 2 === 0 ? TENANTS.a : TENANTS.b;
      expect(await ids(tenant)).toEqual([turn % 2 === 0 ? ROW.a : ROW.b]);
      expect(await ids(undefined)).toEqual([]);
    }
    const mixed = await Promise.all(
      Array.from({ length: 40 }, (_, i) => ids(i % 2 === 0 ? TENANTS.a : TENANTS.b)),
    );
    expect(mixed.every(([id], i) => id === (i % 2 === 0 ? ROW.a : ROW.b))).toBe(true);
  });
});
