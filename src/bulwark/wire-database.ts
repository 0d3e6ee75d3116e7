import type { Log } from "../core/index.ts";
import { createDatabase, type Database, type Driver } from "../database/index.ts";
import type { Metrics } from "../observability/index.ts";
import type { ResolvedConfig } from "./config.ts";

/** wireDatabase names the store; its driver is loaded when it is opened, so that nobody pays for the other one. */
export function wireDatabase(
  { database, mode }: ResolvedConfig,
  log: Log,
  metrics: Metrics,
): Database {
  const driver = "url" in database ? postgres(database, mode, log) : pglite(database);
  return createDatabase(driver, { onOperation: meterOf(metrics) });
}

/** Operations are statements and whole transactions, by how they ended. */
function meterOf(metrics: Metrics): (seconds: number, done: boolean) => void {
  const name = "bulwark_database_operation_duration_seconds";
  const help = "Time of a statement or a transaction, the wait for a connection included.";
  const done = metrics.histogram(name, help, { outcome: "done" });
  const failed = metrics.histogram(name, help, { outcome: "failed" });
  return (seconds, isDone) => (isDone ? done : failed).observe(seconds);
}

const postgres = (
  database: Extract<ResolvedConfig["database"], { url: string }>,
  mode: ResolvedConfig["mode"],
  log: Log,
): Driver => ({
  name: "PostgreSQL",
  exclusive: false,
  open: async () => {
    const { postgresDriver } = await peer(() => import("../database/postgres.ts"), "pg");
    return postgresDriver({ ...database, production: mode === "production", log }).open();
  },
});

const pglite = (database: Exclude<ResolvedConfig["database"], { url: string }>): Driver => ({
  name: "PGlite",
  exclusive: true,
  open: async () => {
    const { pgliteDriver } = await peer(
      () => import("../database/pglite.ts"),
      "@electric-sql/pglite",
    );
    return pgliteDriver(database).open();
  },
});

/** peer loads an optional part, or says what to install. */
export async function peer<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(`'${name}'`)) throw error;
    throw new Error(`${name} is not installed: npm install ${name}`, { cause: error });
  }
}
