import { createDatabase, type Database, type Driver } from "../database/index.ts";
import type { DatabaseConfig } from "./config.ts";

/** wireDatabase names the store; its driver is loaded when it is opened, so that nobody pays for the other one. */
export function wireDatabase(config: DatabaseConfig): Database {
  const driver: Driver = {
    name: "PGlite",
    exclusive: true,
    open: async () => {
      const { pgliteDriver } = await import("../database/pglite.ts");
      return pgliteDriver(config).open();
    },
  };
  return createDatabase(driver);
}
