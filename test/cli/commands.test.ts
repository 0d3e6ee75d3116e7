import { readFileSync, rmSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { bulwark, launch, runCommand, temporaryFolder } from "../support/process.ts";

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const PASSWORD = "correct horse battery staple";
const create = (args: readonly string[], input = `${PASSWORD}\n`) =>
  bulwark(["users", "create", ...args], { env: { BULWARK_DATA_DIR: dataDir }, input });

const VERSION = (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;

test("secret generate prints 32 random bytes in base64url, others every time", async () => {
  const [one, other] = await Promise.all([
    bulwark(["secret", "generate"]),
    bulwark(["secret", "generate"]),
  ]);
  for (const { code, stdout, stderr } of [one, other]) {
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect(Buffer.from(stdout.trim(), "base64url")).toHaveLength(32);
    expect(stderr).toBe("");
  }
  expect(one.stdout).not.toBe(other.stdout);
});

test("npx bulwark --version in the checkout is the package's", async () => {
  const { code, stdout } = await runCommand("npx", ["--offline", "bulwark", "--version"]);
  expect(code).toBe(0);
  expect(stdout).toBe(`${VERSION}\n`);
});

test.each([
  [["nonsense"], "unknown command 'nonsense'"],
  [["start", "--port", "1"], "unknown option '--port'"],
  [["secret", "generate", "more"], "too many arguments"],
  [["secret"], "generate"],
  [["users", "create", "--dev", "--password-stdin"], "--email"],
  [["users", "create", "--dev", "--email", "a@example.com"], "--password-stdin"],
  [
    ["users", "create", "--dev", "--email", "a@example.com", "--password-stdin", "--role", "root"],
    "expected one of user, moderator, admin",
  ],
])("%j fails and says why on standard error", async (args, reason) => {
  const { code, stdout, stderr } = await bulwark(args);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toContain(reason);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("users create refuses what production refuses", async () => {
  const { code, stderr } = await create(["--email", "a@example.com", "--password-stdin"]);
  expect(code).toBe(1);
  expect(stderr).toContain("BULWARK_SECRET: expected");
});

/** Three starts of a database, one of them the first. */
const SLOW = { timeout: 120_000 };

test(
  "users create makes an administrator, whose start then prints no link; the address and the password are checked",
  SLOW,
  async () => {
    const admin = ["--dev", "--email", "Admin@Example.com", "--role", "admin", "--password-stdin"];
    const short = await create(admin, "short\n");
    expect(short.code).toBe(1);
    expect(short.stderr).toMatch(/^bulwark: password: Expected at least 15 characters\./);

    const made = await create(admin);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^[0-9a-f-]{36} admin@example\.com user,admin\n$/);
    expect(made.stderr).toBe("");

    const server = await launch({ dataDir });
    try {
      await server.until(/Data: PGlite.*\n/);
      const taken = await create(["--dev", "--email", "b@example.com", "--password-stdin"]);
      expect(taken.code).toBe(1);
      expect(taken.stderr).toContain("in use by another process");

      const login = await fetch(`${server.url}/api/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "admin@example.com", password: PASSWORD }),
      });
      expect(login.status).toBe(200);
      const { data } = (await login.json()) as { data: { accessToken: string } };
      const audit = await fetch(`${server.url}/api/admin/audit`, {
        headers: { authorization: `Bearer ${data.accessToken}` },
      });
      expect(audit.status).toBe(200);
      expect(await audit.text()).not.toContain(PASSWORD);
      expect(server.stdout()).not.toContain("/setup#");
    } finally {
      await server.stop();
    }
  },
);
