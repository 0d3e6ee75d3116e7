import { describe, expect, test } from "vitest";
import { type Principal, ValidationError } from "../core/index.ts";
import { can, cannot, defineAccess, equals, ownedBy, referenceAccess } from "./index.ts";

// What of an object may be read and set. The opposite are over-exposure and mass assignment.

const access = defineAccess({
  permissions: ["people:read"],
  roles: { user: { permissions: ["people:read"] }, admin: { includes: ["user"] } },
  subjects: { person: { fields: ["id", "name", "email", "salary", "role"] } },
  rules: [
    can("read", "person", { permission: "people:read", fields: ["id", "name"] }),
    can("read", "person", { roles: ["user"], where: ownedBy("id"), fields: ["email", "salary"] }),
    can("read", "person", { roles: ["admin"] }),
    cannot("read", "person", { fields: ["salary"], where: equals("role", "board") }),
    can("create", "person", { roles: ["user"], fields: ["name", "email"] }),
    can("update", "person", { roles: ["user"], where: ownedBy("id"), fields: ["name"] }),
    can("update", "person", { roles: ["admin"], fields: ["name", "role"] }),
  ],
});

const user = (userId: string, ...roles: string[]): Principal => ({
  kind: "user",
  userId,
  sessionId: "s",
  via: "bearer",
  methods: [],
  roles,
});
const key: Principal = {
  kind: "userKey",
  userId: "1",
  keyId: "k",
  via: "key",
  scopes: ["people:read"],
  roles: ["user"],
};

const ROW = { id: "1", name: "A", email: "a@x", salary: 7, role: "staff", passwordHash: "x" };

test.each<[who: string, principal: Principal | undefined, row: object, fields: readonly string[]]>([
  ["another", user("2", "user"), ROW, ["id", "name"]],
  ["oneself", user("1", "user"), ROW, ["id", "name", "email", "salary"]],
  ["an admin", user("2", "admin"), ROW, ["id", "name", "email", "salary", "role"]],
  [
    "an admin, of the board",
    user("2", "admin"),
    { ...ROW, role: "board" },
    ["id", "name", "email", "role"],
  ],
  [
    "an admin, of one whose role was not selected",
    user("2", "admin"),
    { id: "1", salary: 7 },
    ["id"],
  ],
  ["one without a role", user("1"), ROW, []],
  ["nobody", undefined, ROW, []],
  ["a key with the scope", key, ROW, ["id", "name"]],
])("%s reads of a person what they may", (_who, principal, row, fields) => {
  expect(Object.keys(access.readable(principal, "person", row))).toEqual(fields);
});

describe("what is sent in", () => {
  const asAdmin = user("2", "admin");
  const hostile = JSON.parse('{"name": "A", "__proto__": {"role": "admin"}}') as object;

  test.each<
    [what: string, input: object, refused: readonly (readonly [field: string, code: string])[]]
  >([
    ["fields that may be set", { name: "A", role: "staff" }, []],
    ["nothing", {}, []],
    ["a field that may not be set", { name: "A", salary: 9 }, [["salary", "forbidden_field"]]],
    [
      "fields that are not known",
      { name: "A", passwordHash: "x", admin: true },
      [
        ["passwordHash", "unknown_field"],
        ["admin", "unknown_field"],
      ],
    ],
    ["__proto__", hostile, [["__proto__", "unknown_field"]]],
    [
      "constructor",
      { constructor: { prototype: { role: "admin" } } },
      [["constructor", "unknown_field"]],
    ],
    [
      "prototype and toString",
      { prototype: 1, toString: 1 },
      [
        ["prototype", "unknown_field"],
        ["toString", "unknown_field"],
      ],
    ],
    [
      "another spelling",
      { Name: "A", "name ": "A" },
      [
        ["Name", "unknown_field"],
        ["name ", "unknown_field"],
      ],
    ],
  ])("%s", (_what, input, refused) => {
    const write = (): object => access.writable(asAdmin, "update", "person", input, ROW);
    if (refused.length === 0) expect(write()).toEqual(input);
    else expect(refusalOf(write).map(({ field, code }) => [field, code])).toEqual(refused);
  });

  test.each<[who: string, principal: Principal | undefined, input: object, may: boolean]>([
    ["oneself", user("1", "user"), { name: "B" }, true],
    ["oneself, a role", user("1", "user"), { role: "admin" }, false],
    ["another", user("2", "user"), { name: "B" }, false],
    ["nobody", undefined, { name: "B" }, false],
  ])("is taken from %s: %#", (_who, principal, input, may) => {
    const write = (): object => access.writable(principal, "update", "person", input, ROW);
    if (may) expect(write()).toEqual(input);
    else expect(write).toThrow(ValidationError);
  });

  test("is judged by what is changed, and without it by nothing that has a condition", () => {
    const write = (): object =>
      access.writable(user("1", "user"), "update", "person", { name: "B" });
    expect(write).toThrow(ValidationError);
  });

  test("is copied, so that what is added to it later does not get in", () => {
    const input: Record<string, unknown> = { name: "A" };
    const taken = access.writable(user("1", "user"), "create", "person", input);
    input["role"] = "admin";
    expect(taken).toEqual({ name: "A" });
  });

  test("names at most 50 faults, and no name beyond 64 characters", () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, i) => ["x".repeat(200) + i, 1]));
    const details = refusalOf(() => access.writable(asAdmin, "update", "person", many, ROW));
    expect(details).toHaveLength(50);
    expect(new Set(details.map(({ field }) => field.length))).toEqual(new Set([64]));
  });

  test.each([null, undefined, [], "name", 7])("that is no object is refused: %j", (input) => {
    const write = (): object => access.writable(asAdmin, "update", "person", input as never, ROW);
    expect(refusalOf(write)).toMatchObject([{ field: "", code: "invalid_type" }]);
  });

  test("cannot be a proxy that hides its names", () => {
    const input = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    expect(() => access.writable(asAdmin, "update", "person", input, ROW)).toThrow(ValidationError);
  });
});

test("in the reference API nobody sets an owner, an id or a time", () => {
  for (const name of ["id", "ownerId", "createdAt", "updatedAt"]) {
    const input = { name: "A", [name]: "x" };
    for (const action of ["create", "update"] as const) {
      const write = (): object =>
        referenceAccess.writable(user("1", "admin"), action, "product", input, { ownerId: "1" });
      expect(refusalOf(write)).toMatchObject([{ field: name, code: "forbidden_field" }]);
    }
  }
});

function refusalOf(write: () => unknown) {
  try {
    write();
  } catch (error) {
    if (error instanceof ValidationError) return error.details ?? [];
    throw error;
  }
  throw new Error("expected a refusal");
}
