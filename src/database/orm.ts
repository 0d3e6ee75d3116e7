import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { Transaction } from "../core/index.ts";

/** Orm is drizzle on either store; what runs on one runs on the other. */
export type Orm = PgDatabase<PgQueryResultHKT, Record<string, never>>;

/** OrmTransaction is an Orm whose statements commit or roll back together. */
export type OrmTransaction = Orm & Transaction;
