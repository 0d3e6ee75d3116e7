#!/usr/bin/env node
// The bulwark command. It runs what `npm run build` made; in a checkout it makes first what is missing or out of date.
import { existsSync } from "node:fs";

const builder = new URL("../scripts/build-if-stale.js", import.meta.url);
if (existsSync(builder)) {
  const { buildIfStale } = await import(builder.href);
  await buildIfStale().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}

const { main } = await import("../dist/cli/index.js");
process.exitCode = await main(process.argv.slice(2));
