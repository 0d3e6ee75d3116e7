import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { startServices } from "./services.ts";

/** Tests that run the command run what is built: it must be what the sources say. One Redis and one PostgreSQL serve the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const script = 'import("./scripts/build-if-stale.js").then((m) => m.buildIfStale())';
  const { status } = spawnSync(process.execPath, ["-e", script], { stdio: "inherit" });
  if (status !== 0) throw new Error("the build failed");
  const services = await startServices();
  project.provide("services", services.urls);
  return services.stop;
}
