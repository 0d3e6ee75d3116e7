// Builds dist/ when it is missing or older than the sources, so that `npm start` and `npx bulwark` work in a fresh
// checkout. Several processes may ask at once: each builds into a folder of its own and puts its files in place one by
// one, the stamp last, so that nobody ever finds a file missing.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
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

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));

/** A rename replaces a file at once: who imports it meanwhile gets the old one or the new one, and never none. */
function putInPlace(out) {
  const made = filesOf(out).sort((a, b) => Number(a === ".built") - Number(b === ".built"));
  for (const file of made) {
    mkdirSync(dirname(join(dist, file)), { recursive: true });
    renameSync(join(out, file), join(dist, file));
  }
  const kept = new Set(made);
  for (const file of filesOf(dist)) if (!kept.has(file)) rmSync(join(dist, file), { force: true });
}

/** A build that was killed leaves its folder behind. None takes an hour: what is older belongs to nobody. */
function removeAbandoned(now) {
  for (const name of readdirSync(root)) {
    const folder = join(root, name);
    if (!/^\.dist-\w{6}$/.test(name)) continue;
    const since = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (now - since > 3_600_000) rmSync(folder, { recursive: true, force: true });
  }
}

export function build() {
  const started = new Date();
  removeAbandoned(started.getTime());
  const out = mkdtempSync(join(root, ".dist-"));
  try {
    const tsc = join(root, "node_modules", ".bin", "tsc");
    if (!existsSync(tsc)) throw new Error("bulwark: nothing is installed yet: npm ci");
    const { status } = spawnSync(tsc, ["-p", "tsconfig.build.json", "--outDir", out], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    if (status !== 0) throw new Error("bulwark: the build failed");
    writeFileSync(join(out, ".built"), "");
    // What was edited during the build counts as newer than it.
    utimesSync(join(out, ".built"), started, started);
    putInPlace(out);
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
