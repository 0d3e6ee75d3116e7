import type { MigrationSet } from "../migrate.ts";
import { accessMigrations } from "./access.ts";
import { accountMigrations } from "./accounts.ts";
import { apiKeyMigrations } from "./api-keys.ts";
import { reportMigrations } from "./reports.ts";

/** bulwarkMigrations make the tables of tables/. A migration that was released is never changed; another one follows it. */
export const bulwarkMigrations: MigrationSet = {
  name: "bulwark",
  migrations: [...accountMigrations, ...accessMigrations, ...apiKeyMigrations, ...reportMigrations],
};
