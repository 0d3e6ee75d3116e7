import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FolderBusyError, lockFolder } from "../../../src/database/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulwark-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LOCK_AND_WAIT = `
  import { lockFolder } from "./dist/database/index.js";
  lockFolder(process.argv[1]).then(
    () => { console.log("held"); setInterval(() => {}, 1_000); },
    (error) => { console.log(error.name); process.exit(3); },
  );`;

/** A process that takes the lock and keeps it, or says why not. */
function holder(path: string): { child: ChildProcess; said: Promise<string> } {
  const args = ["--input-type=module", "-e", LOCK_AND_WAIT, path];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const said = new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  return { child, said };
}

const kill = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });

test("a held folder is busy, and free once it is released", async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(FolderBusyError);
  await expect(lockFolder(folder)).rejects.toThrow(folder);
  await lock.release();
  const again = await lockFolder(folder);
  await again.release();
});

test("of 50 takers at once one holds it", async () => {
  const taken = await Promise.allSettled(Array.from({ length: 50 }, () => lockFolder(folder)));
  const held = taken.filter((result) => result.status === "fulfilled");
  expect(held).toHaveLength(1);
  for (const result of taken) {
    if (result.status === "rejected") expect(result.reason).toBeInstanceOf(FolderBusyError);
  }
  for (const { value } of held) await value.release();
  await (await lockFolder(folder)).release();
});

test("taken and released 30 times by many, it is never held twice at once", async () => {
  let holders = 0;
  let most = 0;
  let turns = 0;
  const compete = async (): Promise<void> => {
    while (turns < 30) {
      try {
        const lock = await lockFolder(folder);
        holders += 1;
        most = Math.max(most, holders);
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
        holders -= 1;
        await lock.release();
      } catch (error) {
        expect(error).toBeInstanceOf(FolderBusyError);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, compete));
  expect(most).toBe(1);
  expect(turns).toBeGreaterThanOrEqual(30);
});

test("another process is refused while one holds it, and gets it right after kill -9, again and again", async () => {
  for (let round = 0; round < 3; round += 1) {
    const { child, said } = holder(folder);
    expect(await said).toBe("held");
    await expect(lockFolder(folder)).rejects.toThrow(FolderBusyError);
    await kill(child);
    await (await lockFolder(folder)).release();
  }
});

test("of 6 processes right after a kill -9 one gets it", async () => {
  const first = holder(folder);
  expect(await first.said).toBe("held");
  await kill(first.child);
  const others = Array.from({ length: 6 }, () => holder(folder));
  const said = await Promise.all(others.map((other) => other.said));
  for (const { child } of others) await kill(child);
  expect(said.sort()).toEqual([...Array.from({ length: 5 }, () => "FolderBusyError"), "held"]);
});

test("names do not pile up", async () => {
  for (let round = 0; round < 10; round += 1) await (await lockFolder(folder)).release();
  const lock = await lockFolder(folder);
  expect(readdirSync(folder).length).toBeLessThanOrEqual(2);
  await lock.release();
});

test("files that only look like locks block nothing", async () => {
  for (const name of ["lock.1", "lock.7", "lock.x", "own.1.dead", "LOCK"]) {
    writeFileSync(join(folder, name), "");
  }
  await (await lockFolder(folder)).release();
});

test("a path that is longer than a socket's may be is locked as well", async () => {
  const deep = join(folder, "d".repeat(120), "e".repeat(120));
  mkdirSync(deep, { recursive: true });
  const lock = await lockFolder(deep);
  await expect(lockFolder(deep)).rejects.toThrow(FolderBusyError);
  await lock.release();
  await (await lockFolder(deep)).release();
});

test("two names of one folder are one lock", async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(join(folder, "..", folder.split("/").at(-1) ?? ""))).rejects.toThrow(
    FolderBusyError,
  );
  await lock.release();
});

test("a folder that is not there is an error of its own", async () => {
  await expect(lockFolder(join(folder, "nothing"))).rejects.toThrow("ENOENT");
});
