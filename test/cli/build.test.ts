import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand, temporaryFolder } from "../support/process.ts";

// A checkout of its own, since a build swaps the folder that all other commands run from.
const checkout = temporaryFolder();
beforeAll(() => {
  for (const name of [
    "bin",
    "scripts",
    "src",
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
  ]) {
    cpSync(name, join(checkout, name), { recursive: true });
  }
  symlinkSync(resolve("node_modules"), join(checkout, "node_modules"));
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const node = (...args: string[]) => runCommand(process.execPath, args, { cwd: checkout });
const leftovers = (): string[] => readdirSync(checkout).filter((name) => name.startsWith(".dist"));

/** Builds take seconds on a busy machine. */
const SLOW = { timeout: 120_000 };

/** Looks for a file as fast as it can until its input ends, and says whether it was ever away. */
const WATCH = `
  import { existsSync } from "node:fs";
  let away = 0;
  let isOver = false;
  process.stdin.on("end", () => { isOver = true; }).resume();
  const look = () => {
    for (let i = 0; i < 20_000; i += 1) if (!existsSync("dist/cli/index.js")) away += 1;
    if (isOver) console.log(away); else setImmediate(look);
  };
  look();`;

test("a checkout in which nothing is installed says what to do", async () => {
  const modules = join(checkout, "node_modules");
  rmSync(modules);
  const { code, stdout, stderr } = await node("bin/bulwark.js", "start", "--dev");
  symlinkSync(resolve("node_modules"), modules);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toBe("bulwark: nothing is installed yet: npm ci\n");
  expect(leftovers()).toEqual([]);
});

test(
  "2 commands at once in a fresh checkout make what is missing, and both work",
  SLOW,
  async () => {
    const both = await Promise.all([
      node("bin/bulwark.js", "--version"),
      node("bin/bulwark.js", "--version"),
    ]);
    for (const { code, stdout, stderr } of both) {
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    }
    expect(leftovers()).toEqual([]);
  },
);

test(
  "a build beside 4 commands breaks none of them, and no file is away for a moment",
  SLOW,
  async () => {
    const options = {
      cwd: checkout,
      stdio: ["pipe", "pipe", "inherit"] as ["pipe", "pipe", "inherit"],
    };
    const watcher = spawn(process.execPath, ["--input-type=module", "-e", WATCH], options);
    const away = new Promise<string>((resolve) => {
      watcher.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    });
    const all = await Promise.all([
      node("scripts/build-if-stale.js"),
      ...Array.from({ length: 4 }, () => node("bin/bulwark.js", "secret", "generate")),
    ]);
    watcher.stdin.end();
    for (const { code, stderr } of all) {
      expect(stderr).toBe("");
      expect(code).toBe(0);
    }
    expect(await away).toBe("0");
    expect(leftovers()).toEqual([]);
  },
);

test("a source that is newer is built, and what no source makes is gone", SLOW, async () => {
  writeFileSync(join(checkout, "dist", "left-over.js"), "");
  const abandoned = join(checkout, ".dist-killed");
  mkdirSync(abandoned);
  const longAgo = new Date(Date.now() - 7_200_000);
  utimesSync(abandoned, longAgo, longAgo);
  const later = new Date(Date.now() + 2_000);
  utimesSync(join(checkout, "src", "index.ts"), later, later);
  const { code, stderr } = await node("bin/bulwark.js", "--version");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(existsSync(join(checkout, "dist", "left-over.js"))).toBe(false);
  expect(existsSync(join(checkout, "dist", "index.d.ts"))).toBe(true);
  expect(leftovers()).toEqual([]);
});

test("sources that do not compile fail the command, and leave the build before", SLOW, async () => {
  writeFileSync(join(checkout, "src", "index.ts"), "export const broken: string = 1;\n");
  const later = new Date(Date.now() + 4_000);
  utimesSync(join(checkout, "src", "index.ts"), later, later);
  const { code, stderr } = await node("bin/bulwark.js", "--version");
  expect(code).not.toBe(0);
  expect(stderr).toContain("src/index.ts(1,14)");
  expect(stderr).toContain("the build failed");
  expect(existsSync(join(checkout, "dist", "cli", "index.js"))).toBe(true);
  expect(leftovers()).toEqual([]);
});
