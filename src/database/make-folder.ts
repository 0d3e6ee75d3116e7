import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * makeFolder makes a folder and what is missing above it, for its owner alone. Node's own recursive mkdir never returns where
 * the kernel says ENOENT below a folder that exists, as in /proc. Throws the system's error if it cannot be made.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process made it in between.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
