import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { defineAccess } from "../../../src/access/index.ts";
import { createBulwark } from "../../../src/bulwark/index.ts";
import { createLog } from "../../../src/observability/index.ts";
import { SECRET } from "../../support/app.ts";
import { temporaryFolder } from "../../support/process.ts";

const roles = { user: { permissions: ["docs:read"] }, admin: { permissions: "*" } } as const;
const permissions = ["docs:read", "docs:write"] as const;
const before = defineAccess({ permissions, roles });
const after = defineAccess({ permissions, roles: { ...roles, auditor: {} } });

const WARNING = "roles made at run time have names of roles from code";

/** Starts on the folder, does the work, closes, and returns the lines that were logged as warnings. */
async function start(
  dataDir: string,
  access: typeof before | typeof after,
  work?: (bulwark: ReturnType<typeof createBulwark>) => Promise<unknown>,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const lines: string[] = [];
  const bulwark = createBulwark({
    mode: "development",
    issuer: "http://localhost:3000",
    secret: SECRET,
    database: { dataDir },
    access,
    log: createLog({ destination: { write: (line: string) => void lines.push(line) } }),
  });
  await bulwark.ready();
  await work?.(bulwark);
  await bulwark.close();
  return lines
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter(({ level }) => level === 40 || level === "warn");
}

test("a start warns of roles made at run time whose names the code has taken since", async () => {
  const dataDir = temporaryFolder();
  try {
    const make = (name: string) => (bulwark: ReturnType<typeof createBulwark>) =>
      bulwark.roles.createRole({ name, permissions: ["docs:read"] }, "system");
    expect(await start(dataDir, before, make("auditor"))).toEqual([]);
    expect(await start(dataDir, before, make("writer"))).toEqual([]);
    const [line, ...others] = await start(dataDir, after);
    expect(line).toMatchObject({ roles: [{ name: "auditor", tenantId: null }] });
    expect(line?.["msg"]).toContain(WARNING);
    expect(others).toEqual([]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
