import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type StartedProcess, startProcess } from "./support/process.ts";

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
let server: StartedProcess;
let folder: string;
let printed: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulwark-walk-"));
  server = await startProcess();
  const script = steps
    .map(({ command }) =>
      command
        .replace("http://localhost:3000", server.url)
        .replace(/^SETUP=.*/, `SETUP=${server.setupToken}`),
    )
    .flatMap((command) => [command, `echo; echo '${MARK}'`])
    .join("\n");
  const { stdout } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
  printed = stdout.split(MARK);
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the walk has its steps", () => expect(steps.length).toBeGreaterThan(12));

test.each(steps.map((step, index) => [step.command.slice(0, 80), step, index] as const))(
  "$ %s",
  (_name, step, index) => {
    expect(steady(printed[index] ?? "")).toBe(steady(step.printed));
  },
);
