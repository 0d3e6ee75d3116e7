import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { bulwark, temporaryFolder } from "../support/process.ts";

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const PASSWORD = "correct horse battery staple";
const run = (args: readonly string[], input?: string) =>
  bulwark(args, { env: { BULWARK_DATA_DIR: dataDir }, ...(input === undefined ? {} : { input }) });
const roles = (...args: string[]) => run(["roles", ...args, "--dev"]);

/** A dozen starts of a database, one of them the first. */
const SLOW = { timeout: 180_000 };

test("a role is made, given for a time, listed, taken and removed", SLOW, async () => {
  const user = ["users", "create", "--dev", "--email", "ada@example.com", "--password-stdin"];
  expect((await run(user, `${PASSWORD}\n`)).code).toBe(0);
  const scope = ["--permission", "products:write"];
  const made = await roles("create", "editor", ...scope, "--description", "edits");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toBe("editor  everywhere  products:write  edits\n");
  const given = await roles("assign", "editor", "--email", "ada@example.com", "--expires-in", "8h");
  expect(given.stdout).toMatch(/^[0-9a-f-]{36} {2}editor {2}everywhere {2}until 20\d\d-\S+Z\n$/);
  const listed = await roles("list", "--json");
  const { fromCode, made: all } = JSON.parse(listed.stdout);
  expect(fromCode.map(({ name }: { name: string }) => name)).toEqual([
    "user",
    "moderator",
    "admin",
  ]);
  expect(all).toMatchObject([{ name: "editor", permissions: ["products:write"] }]);
  expect((await roles("holders", "editor")).stdout).toBe(given.stdout);
  expect((await roles("unassign", "editor", "--email", "ada@example.com")).code).toBe(0);
  expect((await roles("holders", "editor")).stdout).toBe("");
  expect((await roles("delete", "editor")).stdout).toBe("editor deleted\n");
  const gone = await roles("delete", "editor");
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain("Role");
});

describe("fails and says why on standard error", () => {
  test.each([
    [["roles"], "holders"],
    [["roles", "create", "--dev", "--permission", "a:b"], "missing required argument 'name'"],
    [["roles", "create", "editor", "--dev"], "--permission"],
    [["roles", "assign", "editor", "--dev"], "--email"],
    [["roles", "update", "editor", "--dev"], "--permission or --description"],
    [
      ["roles", "assign", "editor", "--dev", "--email", "a@example.com", "--expires-in", "soon"],
      "expected",
    ],
  ])("%j", async (args, reason) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.each([
    [["create", "admin", "--permission", "products:write"], "name: There is a role of thi"],
    [["create", "editor", "--permission", "products:fly"], "permissions.0: There is no"],
    [["assign", "nobodys", "--email", "nobody@example.com"], "User"],
    [["holders", "nobodys"], "Role not found."],
    [["holders", "admin", "--tenant", "nowhere"], "Tenant not found."],
    [["list", "--tenant", "nowhere"], "Tenant not found."],
  ])("roles %j", SLOW, async (args, reason) => {
    const { code, stdout, stderr } = await roles(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
