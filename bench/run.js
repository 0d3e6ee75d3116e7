// `npm run bench [-- --json] [--rounds 9] [--seed 1] [--only NAME]`: every suite, or one.
import { only } from "./harness.js";

// Loaded when it runs: what one suite's packages leave behind in the engine is not measured with another.
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
  await suites[name]();
}
