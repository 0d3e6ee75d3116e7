// `npm run bench [-- --json] [--rounds 9] [--seed 1] [--only NAME]`: every suite, or one.
import { only } from "./harness.js";
import { access } from "./suites/access.js";
import { apiKeys } from "./suites/api-keys.js";
import { edge } from "./suites/edge.js";
import { headers } from "./suites/headers.js";
import { limiter } from "./suites/limiter.js";
import { limiterRedis } from "./suites/limiter-redis.js";
import { logins } from "./suites/logins.js";
import { pipeline } from "./suites/pipeline.js";
import { tokens } from "./suites/tokens.js";

const suites = {
  pipeline,
  limiter,
  "limiter-redis": limiterRedis,
  tokens,
  headers,
  edge,
  access,
  "api-keys": apiKeys,
  logins,
};
const names = only === undefined ? Object.keys(suites) : [only];
for (const name of names) {
  if (!Object.hasOwn(suites, name)) {
    process.stderr.write(`bench: expected one of ${Object.keys(suites).join(", ")}, came ${name}\n`);
    process.exit(1);
  }
  await suites[name]();
}
