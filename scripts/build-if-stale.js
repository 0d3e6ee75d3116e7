// Builds dist/ when it is missing or older than the sources, so that `npm start` and `npx bulwark` work in a fresh
// checkout. Several processes may ask at once: each builds into a folder of its own and swaps it in, so that nobody
// ever imports half of a build.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const stamp = join(dist, ".built");

const newest = (folder) =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs),
  );

const isFresh = () =>
  existsSync(stamp) &&
  statSync(stamp).mtimeMs >=
    Math.max(newest(join(root, "src")), statSync(join(root, "tsconfig.build.json")).mtimeMs);

export function build() {
  const started = new Date();
  const out = mkdtempSync(join(root, ".dist-"));
  try {
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const { status } = spawnSync(tsc, ["-p", "tsconfig.build.json", "--outDir", out], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error("bulwark: the build failed");
    writeFileSync(join(out, ".built"), "");
    // What was edited during the build counts as newer than it.
    utimesSync(join(out, ".built"), started, started);
    const old = `${out}-old`;
    if (existsSync(dist)) renameSync(dist, old);
    try {
      renameSync(out, dist);
    } catch (error) {
      // Another process put its build in between; the same sources made both.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    }
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export async function buildIfStale() {
  if (!isFresh()) build();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  build();
}
