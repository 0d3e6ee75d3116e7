import { spawnSync } from "node:child_process";

/** Tests that run the command run what is built: it must be what the sources say. */
export default function setup(): void {
  const script = 'import("./scripts/build-if-stale.js").then((m) => m.buildIfStale())';
  const { status } = spawnSync(process.execPath, ["-e", script], { stdio: "inherit" });
  if (status !== 0) throw new Error("the build failed");
}
