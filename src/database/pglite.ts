import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import type { Driver } from "./database.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { makeFolder } from "./make-folder.ts";
import type { Orm } from "./orm.ts";

/** Where PGlite keeps its data: a folder, or the memory of this process. */
export type PgliteOptions = { readonly dataDir: string } | { readonly insecureInMemory: true };

/**
 * pgliteDriver opens the embedded PostgreSQL. The folder is locked for this process. What is committed survives a kill of
 * the process; PGlite makes no fsync call, so it does not survive a loss of power.
 */
export function pgliteDriver(options: PgliteOptions): Driver {
  return {
    name: "PGlite",
    exclusive: true,
    async open() {
      let lock: FolderLock | undefined;
      let folder: string | undefined;
      if ("dataDir" in options) {
        folder = join(options.dataDir, "pgdata");
        makeFolder(folder);
        lock = await lockFolder(options.dataDir);
      }
      try {
        const client = await PGlite.create(folder === undefined ? {} : { dataDir: folder });
        const orm = drizzle({ client }) as unknown as Orm;
        return {
          orm,
          transaction: (work) => orm.transaction(work),
          migration: (work) => orm.transaction(work),
          close: async () => {
            await client.close();
            await lock?.release();
          },
        };
      } catch (error) {
        await lock?.release();
        throw error;
      }
    },
  };
}
