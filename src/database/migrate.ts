import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Orm } from "./orm.ts";

export interface Migration {
  /** Such as `0001-accounts`; unique in its set. They run in the order of their list. */
  readonly id: string;
  /** One text of statements that each end with a semicolon at a line's end, or a list of single statements, bodies and all. */
  readonly sql: string | readonly string[];
}

/** A set of migrations that belong to one owner, such as `bulwark`. */
export interface MigrationSet {
  readonly name: string;
  readonly migrations: readonly Migration[];
}

/** An arbitrary number that all processes agree on: "bulwark" in ASCII, cut to 63 bits. */
const LOCK = 0x62_75_6c_77_61_72n;

const checksumOf = (migration: Migration): string =>
  createHash("sha256").update([migration.sql].flat().join(";\n")).digest("hex");

const statementsOf = ({ sql: text }: Migration): readonly string[] =>
  typeof text === "string" ? text.split(/;\s*$/m).filter((one) => one.trim() !== "") : text;

/**
 * migrate runs what is missing of each set, in order, in one transaction under an advisory lock: of several processes
 * that start together one runs them and the others find them done.
 * Throws an Error that names the migration only if one that ran before has another text now, or is gone; and a TypeError, before
 * anything runs, only if the sets are not such as the types say.
 */
export async function migrate(
  store: { transaction(work: (tx: Orm) => Promise<void>): Promise<void> },
  sets: readonly MigrationSet[],
): Promise<void> {
  checkSets(sets);
  await store.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK.toString()}::bigint)`);
    await tx.execute(sql`CREATE SCHEMA IF NOT EXISTS bulwark`);
    await tx.execute(sql`
      CREATE TABLE IF NOT EXISTS bulwark.migrations (
        set_name text NOT NULL,
        id text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT migrations_set_name_id_key UNIQUE (set_name, id)
      )`);
    for (const set of sets) await migrateSet(tx, set);
  });
}

/** checkSets is for callers without types: what a statement of the database would say of them helps nobody. */
function checkSets(sets: readonly MigrationSet[]): void {
  checkName(
    "migrations",
    sets.map(({ name }) => name),
    "name",
  );
  for (const { name, migrations } of sets) {
    checkName(
      `migrations of ${name}`,
      migrations.map(({ id }) => id),
      "id",
    );
    for (const { id, sql: text } of migrations) {
      const isText = [text].flat().every((one: unknown) => typeof one === "string");
      if (!isText)
        throw new TypeError(`migration ${name}/${id}: sql: expected a text or a list of them`);
    }
  }
}

function checkName(where: string, names: readonly unknown[], field: string): void {
  for (const [index, name] of names.entries()) {
    if (typeof name === "string" && name !== "" && names.indexOf(name) === index) continue;
    throw new TypeError(
      `${where}[${index}]: ${field}: expected a text of its own, came ${JSON.stringify(name)}`,
    );
  }
}

async function migrateSet(tx: Orm, set: MigrationSet): Promise<void> {
  const done = await appliedOf(tx, set.name);
  for (const migration of set.migrations) {
    const checksum = checksumOf(migration);
    const before = done.get(migration.id);
    done.delete(migration.id);
    if (before === checksum) continue;
    if (before !== undefined) {
      throw new Error(
        `migration ${set.name}/${migration.id} was changed after it ran: expected checksum ${before}, came ${checksum}`,
      );
    }
    for (const statement of statementsOf(migration)) await tx.execute(sql.raw(statement));
    await tx.execute(sql`
      INSERT INTO bulwark.migrations (set_name, id, checksum)
      VALUES (${set.name}, ${migration.id}, ${checksum})`);
  }
  const [unknown] = done.keys();
  if (unknown !== undefined) {
    throw new Error(
      `the database was migrated by a newer version: ${set.name}/${unknown} is unknown`,
    );
  }
}

async function appliedOf(tx: Orm, name: string): Promise<Map<string, string>> {
  const result = await tx.execute(
    sql`SELECT id, checksum FROM bulwark.migrations WHERE set_name = ${name}`,
  );
  const { rows } = result as unknown as { rows: { id: string; checksum: string }[] };
  return new Map(rows.map((row) => [row.id, row.checksum]));
}
