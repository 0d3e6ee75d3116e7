// `npm run bench [-- --json] [--rounds 9] [--seed 1] [--only NAME]`: every suite, or one.
import { only } from "./harness.js";
import { edge } from "./suites/edge.js";
import { headers } from "./suites/headers.js";
import { limiter } from "./suites/limiter.js";
import { logins } from "./suites/logins.js";
import { pipeline } from "./suites/pipeline.js";
import { tokens } from "./suites/tokens.js";

const suites = { pipeline, limiter, tokens, headers, edge, logins };
const names = only === undefined ? Object.keys(suites) : [only];
for (const name of names) {
  if (!Object.hasOwn(suites, name)) {
    process.stderr.write(`bench: expected one of ${Object.keys(suites).join(", ")}, came ${name}\n`);
    process.exit(1);
  }
  await suites[name]();
}
