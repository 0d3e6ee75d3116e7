import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { generateSecret } from "../src/crypto/index.ts";
import { startProcess } from "./support/process.ts";
import { freshDatabase, startRedis } from "./support/services.ts";

/** One command of the walk and what the README says it prints. */
interface Step {
  readonly command: string;
  readonly printed: string;
}

function stepsOf(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```/gm)].map((match) => match[1]);
  return blocks
    .join("")
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = "", ...printed] = step.trimEnd().split("\n");
      return { command, printed: printed.join("\n") };
    });
}

/** What differs from run to run is told apart from what must not. */
const steady = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/"at":\d+/g, '"at":<time>')
    .trim();

const steps = stepsOf(readFileSync("README.md", "utf8"));
const MARK = "--- next step ---";

/** walk starts the reference API as the README says, and returns what each step printed there. */
async function walk(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-walk-"));
  const server = await startProcess({ env });
  try {
    const script = steps
      .map(({ command }) =>
        command
          .replace("http://localhost:3000", server.url)
          .replace(/^SETUP=.*/, `SETUP=${server.setupToken}`),
      )
      .flatMap((command) => [command, `echo; echo '${MARK}'`])
      .join("\n");
    return spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" }).stdout.split(MARK);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [database, redis] = await Promise.all([freshDatabase(), startRedis()]);
const servers: Readonly<Record<string, string>> = {
  DATABASE_URL: database ?? "",
  REDIS_URL: redis ?? "",
  BULWARK_SECRET: generateSecret(),
};

test("the walk has its steps", () => expect(steps.length).toBeGreaterThan(12));

describe.each([
  ["PGlite", {}, true],
  ["PostgreSQL and Redis", servers, database !== undefined && redis !== undefined],
])("on %s", (_name, env, isThere) => {
  let printed: readonly string[];
  beforeAll(async () => {
    if (isThere) printed = await walk(env);
  });

  test
    .skipIf(!isThere)
    .each(steps.map((step, index) => [step.command.slice(0, 80), step, index] as const))(
    "$ %s",
    (_command, step, index) => {
      expect(steady(printed[index] ?? "")).toBe(steady(step.printed));
    },
  );
});
