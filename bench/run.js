// `npm run bench [-- --json] [--rounds 9] [--seed 1] [--only NAME]`: every suite, or one.
import { spawnSync } from "node:child_process";
import { only } from "./harness.js";

const suites = {
  pipeline: async () => (await import("./suites/pipeline.js")).pipeline(),
  "pipeline-autocannon": async () => (await import("./suites/pipeline.js")).pipelineAutocannon(),
  limiter: async () => (await import("./suites/limiter.js")).limiter(),
  "limiter-redis": async () => (await import("./suites/limiter-redis.js")).limiterRedis(),
  tokens: async () => (await import("./suites/tokens.js")).tokens(),
  headers: async () => (await import("./suites/headers.js")).headers(),
  edge: async () => (await import("./suites/edge.js")).edge(),
  access: async () => (await import("./suites/access.js")).access(),
  "api-keys": async () => (await import("./suites/api-keys.js")).apiKeys(),
  logins: async () => (await import("./suites/logins.js")).logins(),
};
const names = only === undefined ? Object.keys(suites) : [only];
for (const name of names) {
  if (!Object.hasOwn(suites, name)) {
    process.stderr.write(`bench: expected one of ${Object.keys(suites).join(", ")}, came ${name}\n`);
    process.exit(1);
  }
  if (only !== undefined) await suites[name]();
  else {
    // In a process of its own: what one suite teaches the engine is not measured with another.
    const args = [process.argv[1], ...process.argv.slice(2), "--only", name];
    const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
}
