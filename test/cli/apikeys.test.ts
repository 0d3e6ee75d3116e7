import { rmSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { apiKeyPattern } from "../../src/api-keys/index.ts";
import { bulwark, launch, temporaryFolder } from "../support/process.ts";

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const EMAIL = "ada@example.com";
const env = { BULWARK_DATA_DIR: dataDir };
const keys = (...args: readonly string[]) => bulwark(["apikeys", ...args, "--dev"], { env });
const KEY = apiKeyPattern();

test.each([
  [["apikeys"], "create"],
  [["apikeys", "create", "--dev", "--scope", "products:read"], "--name"],
  [["apikeys", "create", "--dev", "--name", "x"], "--scope"],
  [
    ["apikeys", "create", "--dev", "--name", "x", "--scope", "y", "--limit", "20/1s"],
    "name=requests/window",
  ],
  [
    ["apikeys", "create", "--dev", "--name", "x", "--scope", "y", "--monthly-quota", "-1"],
    "expected a whole number",
  ],
  [["apikeys", "rotate", "--dev"], "missing required argument 'id'"],
  [["apikeys", "revoke", "--dev"], "missing required argument 'id'"],
  [["apikeys", "revoke", "a", "b", "--dev"], "too many arguments"],
])("%j fails and says why on standard error", async (args, reason) => {
  const { code, stdout, stderr } = await bulwark(args, { env });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(reason);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("without --dev they refuse what production refuses", async () => {
  const { code, stderr } = await bulwark(["apikeys", "list", "--email", EMAIL], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("BULWARK_SECRET: expected");
});

test("a key is made, listed, rotated and revoked", { timeout: 200_000 }, async () => {
  const user = ["users", "create", "--dev", "--email", EMAIL, "--password-stdin"];
  const input = "correct horse battery staple\n";
  expect((await bulwark(user, { env, input })).code).toBe(0);

  const nobody = await keys(
    "create",
    "--email",
    "x@example.com",
    "--name",
    "a",
    "--scope",
    "products:read",
  );
  expect([nobody.code, nobody.stderr]).toEqual([1, "bulwark: User not found.\n"]);
  const neither = await keys("list");
  expect(neither.stderr).toBe("bulwark: --email or --tenant: expected one, came neither\n");
  for (const tenant of ["nowhere", "00000000-0000-4000-8000-000000000000"]) {
    const { code, stderr } = await keys("list", "--tenant", tenant);
    expect([code, stderr], tenant).toEqual([1, "bulwark: Tenant not found.\n"]);
  }
  const wrong = await keys("create", "--email", EMAIL, "--name", "a", "--scope", "everything");
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toBe("bulwark: scopes.0: There is no scope of this name.\n");

  const owner = ["--email", "Ada@Example.com"];
  const command = ["create", ...owner, "--name", "nightly", "--scope", "products:read"];
  command.push("products:write", "--limit", "burst=20/1s", "--address", "127.0.0.0/8");
  const made = await keys(...command, "--monthly-quota", "100", "--json");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const first = JSON.parse(made.stdout) as { id: string; key: string };
  expect(first).toMatchObject({ name: "nightly", scopes: ["products:read", "products:write"] });
  expect(first.key).toMatch(KEY);

  const rotated = await keys("rotate", first.id, "--overlap", "1h");
  expect(rotated.code).toBe(0);
  const [id = "", key = ""] = rotated.stdout.trim().split(" ");
  expect(key.match(KEY)).toEqual([key]);
  const twice = await keys("rotate", first.id);
  expect([twice.code, twice.stdout]).toEqual([1, ""]);

  const listed = await keys("list", ...owner, "--json");
  expect(JSON.parse(listed.stdout)).toMatchObject([
    {
      id,
      limits: [{ name: "burst", requests: 20, window: "1s" }],
      allowedAddresses: ["127.0.0.0/8"],
      monthlyQuota: 100,
      state: "active",
    },
    { id: first.id, successorId: id },
  ]);
  expect(`${listed.stdout}${listed.stderr}`).not.toContain(key.slice(-38));

  expect(await keys("revoke", first.id)).toMatchObject({
    code: 0,
    stdout: `${first.id} revoked\n`,
  });
  const again = await keys("revoke", first.id);
  expect([again.code, again.stderr]).toEqual([1, "bulwark: API key not found.\n"]);
  const plain = await keys("list", ...owner);
  expect(plain.stdout).toMatch(
    new RegExp(`^${id}  active  until \\S+  never used  products:read,products:write  nightly\n$`),
  );

  const server = await launch({ dataDir });
  try {
    await server.until(/Data: PGlite.*\n/);
    const ask = async (secret: string): Promise<number> =>
      (await fetch(`${server.url}/api/products`, { headers: { "x-api-key": secret } })).status;
    expect(await ask(first.key)).toBe(401);
    expect(await ask(key)).not.toBe(401);
  } finally {
    await server.stop();
  }
});
