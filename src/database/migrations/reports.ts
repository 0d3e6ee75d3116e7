import type { Migration } from "../migrate.ts";

/** The table of tables/reports.ts. */
export const reportMigrations: readonly Migration[] = [
  {
    id: "0006-reports",
    sql: `
CREATE TABLE bulwark.browser_reports (
  id uuid PRIMARY KEY,
  digest bytea NOT NULL,
  type text NOT NULL,
  document text NOT NULL,
  subject text,
  blocked text,
  source text,
  line integer,
  disposition text NOT NULL,
  count bigint NOT NULL,
  first_seen_at timestamp(3) with time zone NOT NULL,
  last_seen_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX browser_reports_digest_key ON bulwark.browser_reports (digest);
CREATE INDEX browser_reports_last_seen_at_idx ON bulwark.browser_reports (last_seen_at);`,
  },
];
