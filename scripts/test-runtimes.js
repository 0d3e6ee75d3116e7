// Runs the unit tests on every Node version that Bulwark supports. The versions come as npm packages for Linux on x64 and
// are installed beside the project, so that the project's own installation stays small. Exits with 1 if a run fails, or
// where this machine cannot run them.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runtimes = join(root, "test", "runtimes");

if (process.platform !== "linux" || process.arch !== "x64") {
  process.stderr.write(
    "test:runtimes: expected Linux on x64, for which the runtimes are packaged\n",
  );
  process.exit(1);
}

const install = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
  cwd: runtimes,
  stdio: "inherit",
});
if (install.status !== 0) process.exit(1);

let failed = false;
for (const version of ["node-20", "node-22", "node-24"]) {
  const node = join(runtimes, "node_modules", version, "bin", "node");
  const name = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim();
  process.stdout.write(`\n== Node ${name}\n`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { status } = spawnSync(node, [vitest, "run", "src"], { cwd: root, stdio: "inherit" });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
