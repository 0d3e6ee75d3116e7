import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SecurityEvent } from "../../../src/core/index.ts";
import { insideTransaction } from "../../../src/database/index.ts";
import { MailOutbox } from "../../../src/mail/index.ts";
import { MINUTE, mailOf, openStore, START, STORES, type Store, TOKEN } from "./support.ts";

/** A promise that a test settles by hand. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const dueIn = (row: Readonly<Record<string, unknown>> | undefined): number =>
  new Date(String(row?.["due_at"])).getTime() - START;

const opened = await Promise.all(
  Object.entries(STORES).map(async ([name, driver]) => [name, await driver()] as const),
);

describe.each(opened.filter(([, driver]) => driver !== undefined))("%s", (_name, driver) => {
  let store: Store;
  beforeAll(async () => {
    if (driver === undefined) throw new Error("no store");
    store = await openStore(driver);
  });
  beforeEach(() => store.reset());
  afterAll(() => store.database.close());

  test("a mail that commits is sent once, and its row is gone", async () => {
    const { outbox, outcomes } = store.process();
    await store.enqueue(outbox, mailOf());
    expect(await store.rows()).toHaveLength(1);
    expect([await outbox.flush(), await outbox.flush()]).toEqual([1, 0]);
    expect(store.mailer.sent).toEqual(["ada@example.com"]);
    expect(await store.rows()).toEqual([]);
    expect(outcomes).toEqual(["sent"]);
  });

  test("a mail whose change is rolled back is never sent", async () => {
    const { outbox } = store.process();
    const change = store.database.transaction(async (tx) => {
      await outbox.enqueue(mailOf(), tx);
      throw new TypeError("no");
    });
    await expect(change).rejects.toThrow("no");
    expect(await outbox.flush()).toBe(0);
    expect(store.mailer.sent).toEqual([]);
  });

  test("the row shows neither the token nor the text, the subject or the recipient", async () => {
    await store.enqueue(store.process().outbox, mailOf());
    const rows = JSON.stringify(await store.rows());
    const shown = Buffer.from(rows, "utf8").toString("latin1");
    for (const text of [TOKEN, "auth/reset", "new password", "ada@example.com", "reset"]) {
      expect(shown).not.toContain(text);
      expect(shown).not.toContain(Buffer.from(text).toString("base64url").slice(0, -2));
    }
  });

  test.each([
    ["to", mailOf("ada@example.com\r\nBcc: eve@example.com")],
    ["to", mailOf("ada@example.com, eve@example.com")],
    ["subject", { ...mailOf(), subject: "Hello\r\nBcc: eve@example.com" }],
  ])("a mail with more than one line or address in its %s is not queued", async (field, mail) => {
    await expect(store.enqueue(store.process().outbox, mail)).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(`${field}: expected`) as string }),
    );
    expect(await store.rows()).toEqual([]);
  });

  test("is sent outside any transaction, which no sending can hold open", async () => {
    const { outbox } = store.process();
    const seen: unknown[] = [];
    store.mailer.before = async () => {
      seen.push(insideTransaction());
      // Would wait for ever on the one connection of PGlite if the row were still locked.
      await store.database.transaction((tx) =>
        tx.execute(sql`UPDATE bulwark.mail_outbox SET attempts = attempts`),
      );
    };
    await store.enqueue(outbox, mailOf());
    expect(await outbox.flush()).toBe(1);
    expect(seen).toEqual([false]);
  });

  test("two processes at once send each of 60 mails once", async () => {
    const [one, two] = [store.process(), store.process()];
    const names = Array.from({ length: 60 }, (_, index) => `user${index}@example.com`);
    await store.enqueue(one.outbox, ...names.map((name) => mailOf(name)));
    store.mailer.before = () => new Promise((resolve) => setImmediate(resolve));
    const flushed = [one, two, one, two].map(({ outbox }) => outbox.flush());
    const counts = await Promise.all(flushed);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect([...store.mailer.sent].sort()).toEqual([...names].sort());
  });

  test("what one process is sending another leaves alone, until the lease of five minutes is over", async () => {
    const [one, two] = [store.process(), store.process()];
    const sending = gate();
    const begun = gate();
    store.mailer.before = () => {
      begun.open();
      return sending.passed;
    };
    await store.enqueue(one.outbox, mailOf());
    const slow = one.outbox.flush();
    await begun.passed;
    store.mailer.before = async () => {};
    store.clock.time += 5 * MINUTE - 1;
    expect(await two.outbox.flush()).toBe(0);
    store.clock.time += 1;
    expect(await two.outbox.flush()).toBe(1);
    sending.open();
    // The first was not dead, only slow: the mail goes out twice, and that is all.
    expect(await slow).toBe(1);
    expect(await store.rows()).toEqual([]);
  });

  test("a process that fails after its lease does not give away what another holds by then", async () => {
    const [one, two] = [store.process(), store.process()];
    const [first, second] = [gate(), gate()];
    const begun = [gate(), gate()];
    let tries = 0;
    store.mailer.before = async () => {
      const mine = tries;
      tries += 1;
      begun[mine]?.open();
      await (mine === 0 ? first : second).passed;
      if (mine === 0) throw new Error("late");
    };
    await store.enqueue(one.outbox, mailOf());
    const late = one.outbox.flush();
    await begun[0]?.passed;
    store.clock.time += 5 * MINUTE;
    const other = two.outbox.flush();
    await begun[1]?.passed;
    first.open();
    expect(await late).toBe(0);
    expect((await store.rows()).map(dueIn)).toEqual([10 * MINUTE]);
    second.open();
    expect(await other).toBe(1);
  });

  test("what ends while it fails is tried no more", async () => {
    const { outbox, outcomes } = store.process();
    const ends = START + MINUTE;
    await store.enqueue(outbox, ...Array.from({ length: 5 }, () => mailOf("a@example.com", ends)));
    store.mailer.before = () => {
      store.clock.time = ends;
      return Promise.reject(new Error("no"));
    };
    await outbox.flush();
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => "failed"));
    await outbox.flush();
    expect(outcomes.slice(5)).toEqual(Array.from({ length: 5 }, () => "expired"));
  });

  test("a process that died between sending and deleting sends again after its lease", async () => {
    const { outbox } = store.process();
    await store.enqueue(outbox, mailOf());
    await store.database.run((orm) =>
      orm.execute(
        sql`UPDATE bulwark.mail_outbox SET attempts = 1, due_at = ${new Date(START + 5 * MINUTE).toISOString()}`,
      ),
    );
    expect(await outbox.flush()).toBe(0);
    store.clock.time += 5 * MINUTE;
    expect(await outbox.flush()).toBe(1);
  });

  test("failures put a mail off by 30 s, doubling to an hour, and it is sent in the end", async () => {
    const { outbox, lines, outcomes } = store.process();
    await store.enqueue(outbox, mailOf("ada@example.com", START + 100 * 60 * MINUTE));
    store.mailer.before = () => Promise.reject(new Error("451 try later"));
    const waits: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect(await outbox.flush()).toBe(0);
      const [row] = await store.rows();
      const due = START + dueIn(row);
      waits.push((due - store.clock.time) / 1_000);
      store.clock.time = due - 1;
      expect(await outbox.flush()).toBe(0);
      store.clock.time = due;
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    expect(outcomes).toEqual(Array.from({ length: 10 }, () => "failed"));
    expect(lines).toHaveLength(10);
    store.mailer.before = async () => {};
    expect(await outbox.flush()).toBe(1);
  });

  test("one mail that fails keeps no other from being sent", async () => {
    const { outbox } = store.process();
    const names = Array.from({ length: 12 }, (_, index) => `user${index}@example.com`);
    await store.enqueue(outbox, ...names.map((name) => mailOf(name)));
    store.mailer.before = ({ to }) =>
      to === "user3@example.com" ? Promise.reject(new Error("550")) : Promise.resolve();
    expect(await outbox.flush()).toBe(11);
    expect(await store.rows()).toHaveLength(1);
  });

  test("a mailer that never answers is given up, and the mail put off", async () => {
    const { outbox, lines } = store.process({ sendTimeoutMs: 20 });
    await store.enqueue(outbox, mailOf());
    store.mailer.before = () => new Promise(() => {});
    expect(await outbox.flush()).toBe(0);
    expect(lines).toEqual([expect.stringContaining("a mail could not be sent")]);
    expect((await store.rows()).map(dueIn)).toEqual([30_000]);
  });

  test("what could not be sent in time is dropped, counted and logged, without its text", async () => {
    const { outbox, lines, outcomes } = store.process();
    await store.enqueue(outbox, mailOf("ada@example.com", START + MINUTE));
    store.mailer.before = () => Promise.reject(new Error("no"));
    await outbox.flush();
    store.clock.time = START + 30_000;
    await outbox.flush();
    // The next try would be after the end: it is brought forward to it.
    expect((await store.rows()).map(dueIn)).toEqual([MINUTE]);
    store.mailer.before = async () => {};
    store.clock.time = START + MINUTE;
    expect(await outbox.flush()).toBe(0);
    expect(await store.rows()).toEqual([]);
    expect(store.mailer.sent).toEqual([]);
    expect(outcomes).toEqual(["failed", "failed", "expired"]);
    expect(lines.at(-1)).toMatch(/^a mail was dropped: it could not be sent in time \{"mail":/);
    expect(lines.join("\n")).not.toContain(TOKEN);
  });

  test("a row whose text was moved from another is not sent, and is an event", async () => {
    const events: SecurityEvent[] = [];
    const audit = { record: async (event: SecurityEvent) => void events.push(event) };
    const { outbox, outcomes, lines } = store.process({ audit });
    await store.enqueue(outbox, mailOf("ada@example.com"), mailOf("eve@example.com"));
    await store.database.run((orm) =>
      orm.execute(
        sql`UPDATE bulwark.mail_outbox SET sealed = (SELECT sealed FROM bulwark.mail_outbox ORDER BY id LIMIT 1)`,
      ),
    );
    expect(await outbox.flush()).toBe(1);
    expect([...outcomes].sort()).toEqual(["sent", "unreadable"]);
    expect(events.map(({ type, result }) => [type, result])).toEqual([
      ["mail.unreadable", "failure"],
    ]);
    expect(await store.rows()).toHaveLength(1);
    expect(lines.join("\n")).not.toContain("eyJ");
  });

  test("depth tells how many wait", async () => {
    const { outbox } = store.process();
    expect(outbox.depth()).toBe(0);
    await store.enqueue(outbox, mailOf(), mailOf(), mailOf());
    store.mailer.before = () => Promise.reject(new Error("no"));
    await outbox.flush();
    expect(outbox.depth()).toBe(3);
  });

  test("started, it sends soon after a commit; stopped, it waits for the five on their way and sends no other", async () => {
    const { outbox } = store.process();
    const sending = gate();
    const begun = gate();
    store.mailer.before = () => {
      begun.open();
      return sending.passed;
    };
    outbox.start();
    const names = Array.from({ length: 12 }, (_, index) => `user${index}@example.com`);
    await store.enqueue(outbox, ...names.map((name) => mailOf(name)));
    await begun.passed;
    let isStopped = false;
    const stopping = outbox.stop().then(() => {
      isStopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isStopped).toBe(false);
    sending.open();
    await stopping;
    expect(store.mailer.sent).toHaveLength(5);
    expect(await store.rows()).toHaveLength(7);
  });

  test("a mail that comes while another is being sent does not wait for the next tick", async () => {
    const { outbox } = store.process({ intervalMs: 60_000 });
    const [first, second] = [gate(), gate()];
    const begun = gate();
    store.mailer.before = ({ to }) => {
      if (to === "late@example.com") second.open();
      else begun.open();
      return to === "late@example.com" ? Promise.resolve() : first.passed;
    };
    outbox.start();
    await store.enqueue(outbox, mailOf());
    await begun.passed;
    await store.enqueue(outbox, mailOf("late@example.com"));
    await new Promise((resolve) => setTimeout(resolve, 40));
    first.open();
    await second.passed;
    await outbox.stop();
    expect(store.mailer.sent).toEqual(["ada@example.com", "late@example.com"]);
  });
});

test.each([
  [{ sendTimeoutMs: 0 }, "sendTimeoutMs: expected 1 to 240000 milliseconds, came 0"],
  [{ sendTimeoutMs: 300_000 }, "sendTimeoutMs: expected 1 to 240000 milliseconds, came 300000"],
  [{ intervalMs: 1 }, "intervalMs: expected 10 to 60000 milliseconds, came 1"],
  [{ intervalMs: Number.NaN }, "intervalMs: expected 10 to 60000 milliseconds, came NaN"],
])("%j is no configuration", (options, message) => {
  const base = {} as ConstructorParameters<typeof MailOutbox>[0];
  expect(() => new MailOutbox({ ...base, ...options })).toThrow(new RangeError(message));
});
