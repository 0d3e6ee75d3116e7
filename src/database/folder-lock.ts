import { createHash } from "node:crypto";
import { closeSync, linkSync, openSync, readdirSync, realpathSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

/** FolderLock is held until it is released or its process ends, however it ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/** FolderBusyError: another live process holds the folder. */
export class FolderBusyError extends Error {
  override readonly name = "FolderBusyError";

  constructor(folder: string) {
    super(`the data folder is in use by another process: ${folder}`);
  }
}

const LOCK = /^lock\.(\d+)$/;
/** The shortest limit of a Unix socket's path among the systems that we run on, less its closing NUL. */
const MAX_SOCKET_PATH = 103;

/**
 * lockFolder takes an existing folder for this process alone, or throws a FolderBusyError.
 *
 * The lock is a Unix socket that listens in the folder: it answers while its process lives, and no longer, so that nothing
 * stale is left to judge after a kill. Sockets are numbered. A process may take number n+1 only when n, the highest, does
 * not answer, by linking its own listening socket to that name, which one process alone can do. A taker that
 * then sees a higher number was late, and starts over. The highest name is never removed, not even by its owner, so a
 * number is never given twice and no two can hold the folder.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const real = realpathSync(folder);
  if (process.platform === "win32") return lockPipe(real);

  const base = socketBase(real);
  const own = `own.${process.pid}.${Math.random().toString(36).slice(2, 10)}`;
  const server = await listen(join(base.path, own));
  const release = async (): Promise<void> => {
    await close(server);
    base.close();
    remove(real, own);
  };
  try {
    await take(real, base.path, own);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

async function take(folder: string, base: string, own: string): Promise<void> {
  for (;;) {
    const highest = highestOf(folder);
    if (highest > 0 && (await answers(join(base, `lock.${highest}`)))) {
      throw new FolderBusyError(folder);
    }
    const next = highest + 1;
    try {
      linkSync(join(folder, own), join(folder, `lock.${next}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    if (highestOf(folder) !== next) {
      remove(folder, `lock.${next}`);
      continue;
    }
    for (const name of readdirSync(folder)) {
      const number = Number(LOCK.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
      if (number < next) remove(folder, name);
    }
    await removeDead(folder, base, own);
    return;
  }
}

const highestOf = (folder: string): number =>
  Math.max(0, ...readdirSync(folder).map((name) => Number(LOCK.exec(name)?.[1] ?? 0)));

/** Names that processes left which died before they held the lock. */
async function removeDead(folder: string, base: string, own: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    if (name === own || !name.startsWith("own.")) continue;
    if (!(await answers(join(base, name)))) remove(folder, name);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // Refused or gone: nobody listens. Anything else is not known, and so counts as somebody.
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => {
      // The lock keeps no process alive that has nothing else to do.
      server.unref();
      resolve(server);
    });
  });
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));

function remove(folder: string, name: string): void {
  try {
    unlinkSync(join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** A socket's path is short by law of the kernel; a long folder is reached through a descriptor of it, on Linux. */
function socketBase(folder: string): { readonly path: string; close(): void } {
  const longest = join(folder, "own.4194304.abcdefgh");
  if (Buffer.byteLength(longest) <= MAX_SOCKET_PATH) return { path: folder, close: () => {} };
  if (process.platform !== "linux") {
    throw new Error(`the data folder's path is too long for a lock: ${folder}`);
  }
  const descriptor = openSync(folder, "r");
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
}

/** Windows has no such sockets, but a named pipe that one process alone can own. */
async function lockPipe(folder: string): Promise<FolderLock> {
  try {
    const server = await listen(
      `\\\\.\\pipe\\bulwark-${createHash("sha256").update(folder.toLowerCase()).digest("hex")}`,
    );
    return { release: () => close(server) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new FolderBusyError(folder);
    throw error;
  }
}
