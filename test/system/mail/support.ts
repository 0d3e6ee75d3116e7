import { sql } from "drizzle-orm";
import type { Log, Mail, Mailer } from "../../../src/core/index.ts";
import { createKeyRing, generateSecret, Sealer } from "../../../src/crypto/index.ts";
import {
  bulwarkMigrations,
  createDatabase,
  type Database,
  type Driver,
} from "../../../src/database/index.ts";
import { pgliteDriver } from "../../../src/database/pglite.ts";
import { postgresDriver } from "../../../src/database/postgres.ts";
import {
  MailOutbox,
  type MailOutboxOptions,
  type OutboxMail,
  type SendOutcome,
} from "../../../src/mail/index.ts";
import { freshDatabase } from "../../support/services.ts";

/** A token as it would stand in a mailed link. */
export const TOKEN = "canary-canary-canary-canary-canary-canary-c";
export const START = Date.UTC(2027, 0, 1);
export const MINUTE = 60_000;

/** mailOf is a mail of this test, good for an hour. */
export const mailOf = (to = "ada@example.com", expiresAt = START + 60 * MINUTE): OutboxMail => ({
  kind: "reset",
  to,
  subject: "Set a new password",
  text: `https://api.example.com/auth/reset#${TOKEN}`,
  expiresAt,
});

/** A mailer that keeps what it sends, and does before it what a test tells it to. */
class FakeMailer implements Mailer {
  readonly sent: string[] = [];
  before: (mail: Mail) => Promise<void> = async () => {};

  async send(mail: Mail): Promise<void> {
    await this.before(mail);
    this.sent.push(mail.to);
  }
}

/** One process: its outbox, what it logged and how its tries ended. */
interface Process {
  readonly outbox: MailOutbox;
  readonly lines: string[];
  readonly outcomes: SendOutcome[];
}

export interface Store {
  readonly database: Database;
  readonly clock: { time: number; now(): number };
  readonly mailer: FakeMailer;
  /** process is one more that works on the same queue. */
  process(options?: Partial<MailOutboxOptions>): Process;
  enqueue(outbox: MailOutbox, ...mails: readonly OutboxMail[]): Promise<void>;
  rows(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** reset empties the queue and sets the clock back. */
  reset(): Promise<void>;
}

/** The stores that the queue must work on; a PostgreSQL where there is one. */
export const STORES: Readonly<Record<string, () => Promise<Driver | undefined>>> = {
  PGlite: () => Promise.resolve(pgliteDriver({ insecureInMemory: true })),
  PostgreSQL: async () => {
    const url = await freshDatabase();
    return url === undefined ? undefined : postgresDriver({ url, production: false });
  },
};

/** openStore opens a queue that no application works on. */
export async function openStore(driver: Driver): Promise<Store> {
  const database = createDatabase(driver);
  await database.connect([bulwarkMigrations]);
  const clock = { time: START, now: () => clock.time };
  const mailer = new FakeMailer();
  const sealer = new Sealer(createKeyRing([generateSecret()]));
  const statement = async (query: ReturnType<typeof sql>) =>
    (await database.run((orm) => orm.execute(query))) as unknown as {
      readonly rows: readonly Readonly<Record<string, unknown>>[];
    };
  return {
    database,
    clock,
    mailer,
    process(options) {
      const lines: string[] = [];
      const outcomes: SendOutcome[] = [];
      const write = (facts: unknown, text: string) =>
        void lines.push(`${text} ${JSON.stringify(facts)}`);
      const log: Log = { info: write, warn: write, error: write };
      const onOutcome = (outcome: SendOutcome) => void outcomes.push(outcome);
      const outbox = new MailOutbox({
        database,
        sealer,
        mailer,
        clock,
        log,
        onOutcome,
        ...options,
      });
      return { outbox, lines, outcomes };
    },
    async enqueue(outbox, ...mails) {
      await database.transaction(async (tx) => {
        for (const mail of mails) await outbox.enqueue(mail, tx);
      });
    },
    rows: async () => (await statement(sql`SELECT * FROM bulwark.mail_outbox`)).rows,
    async reset() {
      await statement(sql`DELETE FROM bulwark.mail_outbox`);
      clock.time = START;
      mailer.sent.length = 0;
      mailer.before = async () => {};
    },
  };
}
