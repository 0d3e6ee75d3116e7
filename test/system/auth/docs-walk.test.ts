import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type StartedProcess, startProcess } from "../../support/process.ts";

/** What docs/auth.md tells people to type, each with what it says they will see. */
const STEPS = [
  ...readFileSync("docs/auth.md", "utf8").matchAll(/^```console\n([\s\S]*?)^```/gm),
].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = "", ...lines] = step.trimEnd().split("\n");
      return { command, says: lines.join("\n") };
    }),
);

const MARK = "--- next step ---";
let server: StartedProcess;
let folder: string;
let printed: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bulwark-walk-"));
  server = await startProcess();
  const script = STEPS.map(({ command }) => command.replace("http://localhost:3000", server.url))
    .flatMap((command) => [command, `echo; echo '${MARK}'`])
    .join("\n");
  const { stdout } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
  printed = stdout.split(MARK);
}, 240_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What is another one in each run is told apart from what must not be. */
const steady = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uuid>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/"at":\d+/g, '"at":<time>')
    .replaceAll(/curl\/[\d.]+/g, "curl/<version>")
    .trim();

test("the walk goes through tokens, a second factor and cookies", () => {
  expect(STEPS.length).toBeGreaterThan(25);
});

test.each(STEPS.map(({ command, says }, index) => [command.slice(0, 80), says, index] as const))(
  "$ %s",
  (_command, says, index) => expect(steady(printed[index] ?? "")).toBe(steady(says)),
);
