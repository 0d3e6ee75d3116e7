import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  pgSchema,
  real,
  text,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import type { Bulwark } from "../../../src/bulwark/index.ts";

const schema = pgSchema("access_test");
const kinds = schema.enum("kind", ["sold", "new"]);

/** A table with a column of each type that rules compare, all but the key nullable, and one that they do not. */
export const things = schema.table("things", {
  id: uuid("id").primaryKey(),
  ownerId: uuid("owner_id"),
  teamId: uuid("team_id"),
  text: text("text"),
  code: varchar("code", { length: 20 }),
  kind: kinds("kind"),
  count: integer("count"),
  ratio: doublePrecision("ratio"),
  wide: bigint("wide", { mode: "bigint" }),
  isOpen: boolean("is_open"),
  at: timestamp("at", { withTimezone: true, mode: "date", precision: 3 }),
  exactly: timestamp("exactly", { withTimezone: true, mode: "date" }),
  rough: real("rough"),
});

const STATEMENTS = [
  "DROP SCHEMA IF EXISTS access_test CASCADE",
  "CREATE SCHEMA access_test",
  "CREATE TYPE access_test.kind AS ENUM ('sold', 'new')",
  `CREATE TABLE access_test.things (
    id uuid PRIMARY KEY, owner_id uuid, team_id uuid, text text, code varchar(20), kind access_test.kind,
    count integer, ratio double precision, wide bigint, is_open boolean,
    at timestamp(3) with time zone, exactly timestamp with time zone, rough real
  )`,
];

export async function makeThings({ database }: Bulwark): Promise<void> {
  for (const statement of STATEMENTS) await database.run((orm) => orm.execute(sql.raw(statement)));
}

export const dropThings = ({ database }: Bulwark): Promise<unknown> =>
  database.run((orm) => orm.execute(sql`DROP SCHEMA IF EXISTS access_test CASCADE`));
