import { AsyncResource } from "node:async_hooks";
import { and, count, eq, gt, lte, sql } from "drizzle-orm";
import {
  type AuditSink,
  type Clock,
  type Log,
  type Mail,
  type Mailer,
  systemClock,
  uuidv7,
} from "../core/index.ts";
import { SealError, type Sealer } from "../crypto/index.ts";
import { type Database, mailOutbox, type Orm } from "../database/index.ts";
import { checkMail } from "./mail-address.ts";

/** A mail to be sent: what it is, for logs, and until when somebody needs it. */
export interface OutboxMail extends Mail {
  /** Such as `verify`. */
  readonly kind: string;
  /** Milliseconds since the epoch; a mail that could not be sent by then is dropped. */
  readonly expiresAt: number;
}

/** How a try to send one mail ended. */
export type SendOutcome = "sent" | "failed" | "unreadable" | "expired";

export interface MailOutboxOptions {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly mailer: Mailer;
  readonly clock?: Clock | undefined;
  readonly log: Log;
  /** Hears of every value that cannot be opened: somebody changed or moved it, or its key is gone. */
  readonly audit?: AuditSink | undefined;
  /** Hears how each try ended, to count it. */
  readonly onOutcome?: ((outcome: SendOutcome) => void) | undefined;
  /** Milliseconds between two looks at the queue. Default 2,000. */
  readonly intervalMs?: number | undefined;
  /** Longest try to send one mail, in milliseconds. Default 60,000; at most four minutes, within the lease of five. */
  readonly sendTimeoutMs?: number | undefined;
}

/** For so long nobody else tries a mail that a process has taken. */
const LEASE_MS = 300_000;
const BATCH = 5;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 3_600_000;
const MAX_COUNT = 10_000;
/** A mail is queued inside a transaction; after so long it has mostly committed. */
const SOON_MS = 20;

interface Claimed {
  readonly id: string;
  readonly sealed: string;
  readonly attempts: number;
  readonly expiresAt: Date;
}

/**
 * MailOutbox keeps mail in the database until it is sent. A row is written with the change that it tells of, its text sealed; a
 * timer takes rows that are due and sends them outside any transaction. Delivery is at least once: a process that dies
 * between the sending and the delete sends again when the lease of five minutes is over.
 */
export class MailOutbox {
  readonly #o: MailOutboxOptions;
  readonly #clock: Clock;
  readonly #sendTimeoutMs: number;
  #depth = 0;
  #flushing: Promise<number> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #stopped = true;
  #isStopping = false;
  #again = false;
  /** Who pokes is inside a transaction; what the timer does is not, and must not look as if it were. */
  readonly #outside = new AsyncResource("MailOutbox");

  /** Throws a RangeError only if `sendTimeoutMs` or `intervalMs` is out of its range. */
  constructor(options: MailOutboxOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 60_000;
    inRange("sendTimeoutMs", this.#sendTimeoutMs, 1, LEASE_MS - 60_000);
    inRange("intervalMs", options.intervalMs ?? 2_000, 10, 60_000);
  }

  /**
   * enqueue writes a mail in the caller's transaction, and looks for it soon after.
   * Throws a TypeError only if the mail is not one that {@link checkMail} lets pass.
   */
  async enqueue(mail: OutboxMail, tx: Orm): Promise<void> {
    const { to, subject, text, html, kind, expiresAt } = checkMail(mail);
    const now = this.#clock.now();
    const id = uuidv7(now);
    const sealed = this.#o.sealer.seal(
      JSON.stringify({ kind, to, subject, text, html }),
      place(id),
    );
    await tx.insert(mailOutbox).values({
      id,
      sealed,
      createdAt: new Date(now),
      dueAt: new Date(now),
      expiresAt: new Date(expiresAt),
    });
    this.poke();
  }

  /** start looks at the queue every two seconds, until stop. The timer keeps no process alive. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#isStopping = false;
    this.#timer = setInterval(() => this.#run(), this.#o.intervalMs ?? 2_000);
    this.#timer.unref();
    this.poke();
  }

  /** stop waits for the mails that are being sent, at most five; what is left stays in the database. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#isStopping = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    await this.#flushing?.catch(() => {});
  }

  /** poke looks at the queue at once, instead of at the next tick. It does nothing unless started. */
  poke(): void {
    if (this.#stopped || this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#run();
    }, SOON_MS);
    this.#soon.unref();
  }

  /** depth is how many mails waited when this process last looked, at most 10,000. */
  depth(): number {
    return this.#depth;
  }

  /**
   * flush tries what is due now, and resolves to how many mails were sent. Only one runs at a time: a second call waits
   * for the first, and then looks again. Rejects only if the database fails; a mail that cannot be sent is put off.
   */
  flush(): Promise<number> {
    const before = this.#flushing ?? Promise.resolve(0);
    const mine: Promise<number> = before
      .catch(() => 0)
      .then(() => this.#flushAll())
      .finally(() => {
        if (this.#flushing === mine) this.#flushing = undefined;
      });
    this.#flushing = mine;
    return mine;
  }

  #run(): void {
    // A look that comes during another is made up for after it, once.
    this.#again = this.#flushing !== undefined;
    if (this.#again) return;
    this.#outside.runInAsyncScope(() => {
      this.flush()
        .catch((err: unknown) => this.#o.log.error({ err }, "the outbox cannot be read"))
        .finally(() => {
          if (this.#again && !this.#stopped) this.#run();
        });
    });
  }

  async #flushAll(): Promise<number> {
    await this.#dropExpired();
    let sent = 0;
    // What failed is not due again, so that this ends.
    for (;;) {
      const rows = await this.#claim();
      const outcomes = await Promise.all(rows.map((row) => this.#attempt(row)));
      sent += outcomes.filter((outcome) => outcome === "sent").length;
      if (rows.length < BATCH || this.#isStopping) break;
    }
    await this.#count();
    return sent;
  }

  async #dropExpired(): Promise<void> {
    const now = new Date(this.#clock.now());
    const over = and(lte(mailOutbox.expiresAt, now), lte(mailOutbox.dueAt, now));
    const dropped = await this.#o.database.run((orm) =>
      orm
        .delete(mailOutbox)
        .where(over)
        .returning({ id: mailOutbox.id, attempts: mailOutbox.attempts }),
    );
    for (const { id, attempts } of dropped) {
      this.#o.onOutcome?.("expired");
      this.#o.log.warn({ mail: id, attempts }, "a mail was dropped: it could not be sent in time");
    }
  }

  /** One statement takes rows and holds them: what another process looks at is passed over, not waited for. */
  #claim(): Promise<Claimed[]> {
    const now = this.#clock.now();
    const { id, sealed, attempts, expiresAt } = mailOutbox;
    return this.#o.database.run((orm) => {
      const due = orm
        .select({ id })
        .from(mailOutbox)
        .where(and(lte(mailOutbox.dueAt, new Date(now)), gt(mailOutbox.expiresAt, new Date(now))))
        .orderBy(mailOutbox.dueAt)
        .limit(BATCH)
        .for("update", { skipLocked: true });
      return (
        orm
          .update(mailOutbox)
          .set({ dueAt: new Date(now + LEASE_MS), attempts: sql`${attempts} + 1` })
          // An array is made once; a plan may run what stands behind IN again and again, and take more than the limit.
          .where(sql`${id} = ANY(ARRAY${due})`)
          .returning({ id, sealed, attempts, expiresAt })
      );
    });
  }

  async #attempt(row: Claimed): Promise<SendOutcome> {
    const outcome = await this.#send(row);
    this.#o.onOutcome?.(outcome);
    await this.#o.database.run((orm) =>
      outcome === "sent"
        ? orm.delete(mailOutbox).where(eq(mailOutbox.id, row.id))
        : this.#putOff(orm, row),
    );
    return outcome;
  }

  async #send(row: Claimed): Promise<SendOutcome> {
    const { log, mailer } = this.#o;
    const facts = { mail: row.id, attempts: row.attempts };
    const mail = this.#open(row);
    if (mail === undefined) {
      log.error(facts, "a mail of the outbox cannot be opened");
      await this.#reportUnreadable(row);
      return "unreadable";
    }
    try {
      await within(this.#sendTimeoutMs, mailer.send(mail));
      return "sent";
    } catch (err) {
      log.warn({ ...facts, kind: mail.kind, err }, "a mail could not be sent");
      return "failed";
    }
  }

  #open({ id, sealed }: Claimed): (Mail & { readonly kind: string }) | undefined {
    try {
      const text = this.#o.sealer.openText(sealed, place(id));
      return JSON.parse(text) as Mail & { readonly kind: string };
    } catch (error) {
      if (error instanceof SealError) return undefined;
      throw error;
    }
  }

  async #reportUnreadable({ id }: Claimed): Promise<void> {
    const resource = `mail:${id}`;
    const event = {
      type: "mail.unreadable",
      severity: "high",
      result: "failure",
      resource,
    } as const;
    await this.#o.audit?.record(event, {});
  }

  /** Only the process whose try this was puts the row off: after its lease the row may be another's. */
  #putOff(orm: Orm, { id, attempts, expiresAt }: Claimed): Promise<unknown> {
    const later = this.#clock.now() + retryAfter(attempts);
    return orm
      .update(mailOutbox)
      .set({ dueAt: new Date(Math.min(later, expiresAt.getTime())) })
      .where(and(eq(mailOutbox.id, id), eq(mailOutbox.attempts, attempts)));
  }

  async #count(): Promise<void> {
    const [row] = await this.#o.database.run((orm) => {
      const waiting = orm
        .select({ id: mailOutbox.id })
        .from(mailOutbox)
        .limit(MAX_COUNT)
        .as("waiting");
      return orm.select({ depth: count() }).from(waiting);
    });
    this.#depth = row?.depth ?? 0;
  }
}

/** Where the text of a row belongs. */
const place = (row: string) => ({ purpose: "mail", table: "mail_outbox", column: "sealed", row });

/** 30 s after the first try, doubling to an hour. */
const retryAfter = (attempts: number): number =>
  Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_RETRY_MS);

/** A mailer that never answers must not hold the queue. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`not sent within ${milliseconds} ms`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function inRange(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${field}: expected ${least} to ${most} milliseconds, came ${value}`);
}
