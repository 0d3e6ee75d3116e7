import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bulwark, temporaryFolder } from "../support/process.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The problems that a start with this environment names, one a line. */
async function problemsOf(env: Record<string, string>, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await bulwark(["start", ...args], {
    env: { BULWARK_DATA_DIR: join(folder, "data"), ...env },
  });
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());
}

const NOT_VALID = "bulwark: The configuration is not valid:";

test("every variable that is wrong is named at once: what was expected, what came", async () => {
  const env = {
    PORT: "80x",
    HOST: "0.0.0.0",
    BULWARK_LIMITS: "login=many",
    DATABASE_URL: "mysql://u:hunter2@h/d",
  };
  const problems = await problemsOf(env, "--dev");
  expect(problems).toEqual(
    [
      NOT_VALID,
      'HOST: expected a loopback address in development mode, such as 127.0.0.1, came "0.0.0.0"',
      'PORT: expected a number from 1 to 65535, came "80x"',
      "DATABASE_URL: expected postgres://user:password@host/database, came another text",
      'BULWARK_LIMITS: expected name=requests/window, such as login=20/1m, came "login=many"',
    ].sort((a, b) => problems.indexOf(a) - problems.indexOf(b)),
  );
});

const CASES: readonly (readonly [name: string, value: string, message: string])[] = [
  ["PORT", "0", 'PORT: expected a number from 1 to 65535, came "0"'],
  [
    "BULWARK_ISSUER",
    "http://localhost/path",
    'BULWARK_ISSUER: expected an origin such as "https://api.example.com", came "http://localhost/path"',
  ],
  [
    "BULWARK_LIMITS",
    "nothing=1/1m",
    'BULWARK_LIMITS: expected one of address, login, register, anonymous, user, mail, global, role:NAME, came "nothing"',
  ],
  [
    "BULWARK_LIMITS",
    "login=1/1y",
    'BULWARK_LIMITS.login: expected a duration such as "30s", "15m" or "1h", came "1y"',
  ],
  [
    "BULWARK_SECRET",
    "weak",
    "BULWARK_SECRET[0]: expected 32 random bytes in base64url, came a value of 4 characters that is not base64url of 32 bytes or more",
  ],
  [
    "BULWARK_TRUSTED_PROXIES",
    "10.0.0.0/99",
    'BULWARK_TRUSTED_PROXIES[0]: expected an address or CIDR range, came "10.0.0.0/99"',
  ],
  ["BULWARK_HOSTS", "http://x", 'BULWARK_HOSTS: expected "name" or "name:port", came "http://x"'],
];

test.each(CASES)("%s=%s is named as the operator knows it", async (name, value, message) => {
  const problems = await problemsOf({ [name]: value }, "--dev");
  expect(problems.at(-1)?.replace(/^bulwark: /, "")).toBe(message);
});

test("a data folder that is a file is named", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const [problem] = await problemsOf({ BULWARK_DATA_DIR: file }, "--dev");
  expect(problem).toMatch(/^bulwark: BULWARK_DATA_DIR: .*file/);
});

test("production is the default, and starts without nothing of what it needs", async () => {
  const problems = await problemsOf({});
  expect(problems[0]).toBe(NOT_VALID);
  for (const name of ["BULWARK_ISSUER", "BULWARK_SECRET"]) {
    expect(problems.some((line) => line.startsWith(`${name}: expected `))).toBe(true);
  }
});

test("production refuses a weak secret and plain http, and shows neither secret", async () => {
  const secrets = ["correcthorsebatterystaple", "a".repeat(43)];
  const problems = await problemsOf({
    BULWARK_ISSUER: "http://api.example.com",
    BULWARK_SECRET: secrets.join(","),
    BULWARK_EMAIL_VERIFICATION: "off",
  });
  const text = problems.join("\n");
  expect(text).toContain(
    'BULWARK_ISSUER: expected an https origin such as "https://api.example.com", came "http://api.example.com"',
  );
  expect(text).toContain(
    "BULWARK_SECRET[0]: expected 32 random bytes in base64url, came a value of 25",
  );
  expect(text).toContain(
    "BULWARK_SECRET[1]: expected 32 random bytes in base64url, came a value that repeats",
  );
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test("NODE_ENV makes no development of a production start", async () => {
  const problems = await problemsOf({ NODE_ENV: "development" });
  expect(problems.join("\n")).toContain("BULWARK_SECRET: expected");
});
