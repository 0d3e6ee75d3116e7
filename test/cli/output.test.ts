import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../support/app.ts";
import { runCommand, temporaryFolder } from "../support/process.ts";

const dataDir = temporaryFolder();
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const SLOW = { timeout: 120_000 };

test("a server whose output nobody reads any more closes in order all the same", SLOW, async () => {
  const port = await freePort();
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ["bin/bulwark.js", "start", "--dev"], {
    env: { PATH, HOME, PORT: String(port), BULWARK_DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve) => {
    child.stdout.once("data", () => resolve());
  });
  child.stdout.destroy();
  expect((await fetch(`http://localhost:${port}/health/live`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(stderr).toBe("");
});

const shell = (script: string) => runCommand("bash", ["-c", script]);

test.each([["--help"], ["secret generate"], ["nonsense"]])(
  "%s into a pipe that nobody reads ends without a trace",
  async (command) => {
    const { stdout, stderr } = await shell(
      `(sleep 0.2; node bin/bulwark.js ${command} 2>&1; echo "status $?" >&3) 3>&2 | true`,
    );
    expect(stdout).toBe("");
    expect(stderr).toBe(`status ${command === "nonsense" ? 1 : 0}\n`);
  },
);

test.skipIf(!existsSync("/dev/full"))("what a full disk did not take fails in words", async () => {
  const { code, stderr } = await shell("node bin/bulwark.js secret generate > /dev/full");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^bulwark: output: ENOSPC: .*\n$/);
});
