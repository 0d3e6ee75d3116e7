import { count, desc, eq, lt, type SQL, sql } from "drizzle-orm";
import { type Clock, systemClock, uuidv7 } from "../core/index.ts";
import { sha256 } from "../crypto/index.ts";
import { browserReports, type Database, type Orm } from "../database/index.ts";
import type { BrowserReport } from "../headers/index.ts";

export interface ReportStoreOptions {
  readonly database: Database;
  readonly clock?: Clock | undefined;
  /** Groups that are kept. Default 1,000. */
  readonly maxGroups?: number | undefined;
}

/** ReportGroup is what many browsers may have reported, and how often. */
export interface ReportGroup extends BrowserReport {
  readonly id: string;
  readonly count: number;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
}

export interface ReportQuery {
  readonly page: number;
  readonly limit: number;
  readonly type?: string | undefined;
}

interface Counted {
  readonly report: BrowserReport;
  readonly digest: Buffer;
  count: number;
}

const MONTH = 30 * 86_400_000;

/**
 * ReportStore counts alike reports in one row. Anybody can send reports, so there are never more rows than `maxGroups`: a new group
 * takes the place of the one that was reported least. A group that nobody reported for 30 days is dropped with the next new one.
 */
export class ReportStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #maxGroups: number;

  constructor(options: ReportStoreOptions) {
    this.#database = options.database;
    this.#clock = options.clock ?? systemClock;
    this.#maxGroups = options.maxGroups ?? 1_000;
  }

  /** collect adds reports to their groups. */
  async collect(reports: readonly BrowserReport[]): Promise<void> {
    const fresh: Counted[] = [];
    for (const group of grouped(reports)) {
      if (!(await this.#count(group))) fresh.push(group);
    }
    if (fresh.length > 0) await this.#add(fresh);
  }

  /** list returns a page of groups, the last reported first, and how many there are. */
  async list(query: ReportQuery): Promise<{ rows: readonly ReportGroup[]; total: number }> {
    const where = query.type === undefined ? undefined : eq(browserReports.type, query.type);
    return this.#database.run(async (orm) => {
      const rows = await orm
        .select()
        .from(browserReports)
        .where(where)
        .orderBy(desc(browserReports.lastSeenAt), desc(browserReports.id))
        .limit(query.limit)
        .offset((query.page - 1) * query.limit);
      const [all] = await orm.select({ total: count() }).from(browserReports).where(where);
      return { rows: rows.map(viewOf), total: all?.total ?? 0 };
    });
  }

  /** Tells whether there was a group to count on. */
  async #count({ digest, count: more }: Counted): Promise<boolean> {
    const updated = await this.#database.run((orm) =>
      orm
        .update(browserReports)
        .set({ count: sql`${browserReports.count} + ${more}`, lastSeenAt: this.#latest() })
        .where(eq(browserReports.digest, digest))
        .returning({ id: browserReports.id }),
    );
    return updated.length > 0;
  }

  /** One at a time makes room, so that the number of rows holds under any burst. */
  #add(groups: readonly Counted[]): Promise<void> {
    const now = new Date(this.#clock.now());
    return this.#database.transaction(async (tx) => {
      await tx.execute(
        sql`SELECT pg_advisory_xact_lock(hashtextextended('bulwark.browser_reports', 0))`,
      );
      for (const { report, digest, count: more } of groups) {
        await tx
          .insert(browserReports)
          .values({
            id: uuidv7(this.#clock.now()),
            digest,
            ...report,
            count: more,
            firstSeenAt: now,
            lastSeenAt: now,
          })
          .onConflictDoUpdate({
            target: browserReports.digest,
            set: { count: sql`${browserReports.count} + ${more}`, lastSeenAt: this.#latest() },
          });
      }
      await tx
        .delete(browserReports)
        .where(lt(browserReports.lastSeenAt, new Date(now.getTime() - MONTH)));
      await this.#makeRoom(tx, groups);
    });
  }

  async #makeRoom(tx: Pick<Orm, "select" | "execute">, groups: readonly Counted[]): Promise<void> {
    const [all] = await tx.select({ total: count() }).from(browserReports);
    const over = (all?.total ?? 0) - this.#maxGroups;
    if (over <= 0) return;
    const isNew = sql.join(
      groups.map(({ digest }) => sql`digest = ${digest}`),
      sql` OR `,
    );
    await tx.execute(sql`
      DELETE FROM bulwark.browser_reports WHERE id IN (
        SELECT id FROM bulwark.browser_reports
        ORDER BY (${isNew}), count, last_seen_at, id LIMIT ${over})`);
  }

  /** Processes write in any order: a moment never goes back. */
  #latest(): SQL {
    const now = new Date(this.#clock.now()).toISOString();
    return sql`greatest(${browserReports.lastSeenAt}, ${now}::timestamptz)`;
  }
}

function grouped(reports: readonly BrowserReport[]): readonly Counted[] {
  const groups = new Map<string, Counted>();
  for (const report of reports) {
    const { type, document, subject, blocked, source, line, disposition } = report;
    const alike = JSON.stringify([type, document, subject, blocked, source, line, disposition]);
    const group = groups.get(alike);
    if (group === undefined) groups.set(alike, { report, digest: sha256(alike), count: 1 });
    else group.count += 1;
  }
  return [...groups.values()];
}

type Row = typeof browserReports.$inferSelect;

const viewOf = ({ digest: _digest, firstSeenAt, lastSeenAt, ...row }: Row): ReportGroup => ({
  ...(row as Omit<ReportGroup, "firstSeenAt" | "lastSeenAt">),
  firstSeenAt: firstSeenAt.toISOString(),
  lastSeenAt: lastSeenAt.toISOString(),
});
