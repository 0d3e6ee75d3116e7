import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import { stepAt, type TotpEnrolment, TotpService, totpCode } from "../../../src/auth/index.ts";
import { ConflictError } from "../../../src/core/index.ts";
import { createKeyRing, generateSecret, SealError, Sealer } from "../../../src/crypto/index.ts";
import type { Database, Orm } from "../../../src/database/index.ts";
import { SECRET, testApp } from "../../support/app.ts";
import { challengeOf, withTotp } from "../../system/auth/support.ts";

const app = await testApp();
const { call, clock, dump, query, reset, signUp } = app;
const { database } = app.bulwark;
beforeEach(reset);

const sealer = new Sealer(createKeyRing([SECRET]));
const totp = new TotpService({ database, sealer, clock, issuerName: "Example" });

const secretOf = ({ secret }: TotpEnrolment): Buffer => {
  const digits = Array.from(secret, (char) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
};
const codeOf = (enrolment: TotpEnrolment, steps = 0): string =>
  totpCode(secretOf(enrolment), stepAt(clock.now()) + steps);
const confirm = (userId: string, code: string): Promise<boolean> =>
  database.transaction((tx) => totp.confirm(userId, code, tx));
const remove = (userId: string): Promise<boolean> =>
  database.transaction((tx) => totp.remove(userId, tx));
const twenty = <T>(work: () => Promise<T>): Promise<readonly T[]> =>
  Promise.all(Array.from({ length: 20 }, work));

interface Enrolled {
  readonly id: string;
  readonly app: TotpEnrolment;
}

async function enrolled(): Promise<Enrolled> {
  const { id, email } = await signUp();
  return { id, app: await totp.enroll(id, email) };
}

/** An app that was confirmed a step ago, so that the present code is good. */
async function confirmed(): Promise<Enrolled> {
  const one = await enrolled();
  expect(await confirm(one.id, codeOf(one.app))).toBe(true);
  clock.advance(30_000);
  return one;
}

// RFC 6238 section 5.2: a code was accepted twice.
describe("a code works once", () => {
  test("of twenty at once, for one", async () => {
    const { id, app: authenticator } = await confirmed();
    const code = codeOf(authenticator);
    const answers = await twenty(() => totp.verify(id, code));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await totp.verify(id, code)).toBe(false);
  });

  test("of twenty that confirm with it at once, for one, and then for none", async () => {
    const { id, app: authenticator } = await enrolled();
    const code = codeOf(authenticator);
    const answers = await twenty(() => confirm(id, code));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await totp.verify(id, code)).toBe(false);
  });

  test("and with it go the codes before it, the one that is still in time too", async () => {
    const { id, app: authenticator } = await confirmed();
    clock.advance(30_000);
    expect(await totp.verify(id, codeOf(authenticator))).toBe(true);
    expect(await totp.verify(id, codeOf(authenticator, -1))).toBe(false);
  });

  test("the one before, and then the present one, are two", async () => {
    const { id, app: authenticator } = await confirmed();
    clock.advance(30_000);
    expect(await totp.verify(id, codeOf(authenticator, -1))).toBe(true);
    expect(await totp.verify(id, codeOf(authenticator))).toBe(true);
  });

  test("also when it is sent with the present one twenty times at once: two at most", async () => {
    const { id, app: authenticator } = await confirmed();
    clock.advance(30_000);
    const codes = [codeOf(authenticator, -1), codeOf(authenticator)];
    const answers = await twenty(() => Promise.all(codes.map((code) => totp.verify(id, code))));
    const good = answers.flat().filter(Boolean).length;
    expect([1, 2]).toContain(good);
  });
});

describe("a code is good", () => {
  test.each<[what: string, seconds: number, good: boolean]>([
    ["in its step", 0, true],
    ["to the end of the next one", 59, true],
    ["and no second longer", 60, false],
  ])("%s", async (_what, seconds, good) => {
    const { id, app: authenticator } = await confirmed();
    clock.advance(30_000 - (clock.now() % 30_000));
    const code = codeOf(authenticator);
    clock.advance(seconds * 1_000);
    expect(await totp.verify(id, code)).toBe(good);
  });

  test.each<[what: string, steps: number]>([
    ["of the next step", 1],
    ["of the step before the last", -2],
  ])("not %s", async (_what, steps) => {
    const { id, app: authenticator } = await confirmed();
    clock.advance(90_000);
    expect(await totp.verify(id, codeOf(authenticator, steps))).toBe(false);
  });

  test("for its user alone", async () => {
    const [one, other] = [await confirmed(), await confirmed()];
    expect(await totp.verify(one.id, codeOf(other.app))).toBe(false);
    expect(await totp.verify(one.id, codeOf(one.app))).toBe(true);
  });

  test("for nobody who has no app, or whose app was not confirmed", async () => {
    const { id } = await signUp();
    expect(await totp.verify(id, "123456")).toBe(false);
    const fresh = await enrolled();
    expect(await totp.verify(fresh.id, codeOf(fresh.app))).toBe(false);
  });

  test("for nobody any more when the app was removed", async () => {
    const { id, app: authenticator } = await confirmed();
    expect(await remove(id)).toBe(true);
    expect(await totp.verify(id, codeOf(authenticator))).toBe(false);
    expect(await remove(id)).toBe(false);
  });
});

describe("enrolment", () => {
  test.each<[what: string, issuerName: string, isName: boolean]>([
    ["none", "", false],
    ["white space", " ", false],
    ["what is shown as white space", ":", false],
    ["half a character", "\ud83d", false],
    ["65 characters", "x".repeat(65), false],
    ["64 of the longest", "\u{1f511}".repeat(64), true],
  ])("by a name of %s", async (_what, issuerName, isName) => {
    const make = (): TotpService => new TotpService({ database, sealer, clock, issuerName });
    if (!isName) {
      expect(make).toThrow(/^issuerName: expected 1 to 64 characters that can be shown, came \d+$/);
      return;
    }
    const { id } = await signUp();
    // The longest address that is taken, of characters that are written as three.
    const email = `${"+".repeat(64)}@${"a.".repeat(93)}com`;
    const { qr } = await make().enroll(id, email);
    expect(qr).toContain("<svg");
  });

  test("makes a new secret each time, and only the newest can be confirmed", async () => {
    const { id, app: first } = await enrolled();
    const second = await totp.enroll(id, "ann@example.com");
    expect(second.secret).not.toBe(first.secret);
    expect(await confirm(id, codeOf(first))).toBe(false);
    expect(await confirm(id, codeOf(second))).toBe(true);
  });

  test("leaves a confirmed app as it is", async () => {
    const { id, app: authenticator } = await confirmed();
    await expect(totp.enroll(id, "ann@example.com")).rejects.toThrow(ConflictError);
    expect(await totp.verify(id, codeOf(authenticator))).toBe(true);
  });

  test("at once with its confirmation, twenty times: what is confirmed is what was proved", async () => {
    const { id, app: first } = await enrolled();
    const code = codeOf(first);
    const [isConfirmed] = await Promise.all([
      confirm(id, code),
      twenty(() => totp.enroll(id, "ann@example.com").catch(() => undefined)),
    ]);
    clock.advance(30_000);
    expect(await totp.verify(id, codeOf(first))).toBe(isConfirmed);
  });
});

describe("a code counts for no secret that came in its place meanwhile:", () => {
  /** An Orm that does `meanwhile` between the reading of a row and what is done with it. */
  const interrupted = (orm: Orm, meanwhile: () => Promise<unknown>): Orm =>
    new Proxy(orm, {
      get(target, name): unknown {
        if (name !== "select") return (target[name as keyof Orm] as () => unknown).bind(target);
        const from: unknown = (table: never) => ({
          where: async (condition: never) => {
            const rows = await target.select().from(table).where(condition);
            await meanwhile();
            return rows;
          },
        });
        // Whatever columns are read, all of them are.
        return () => ({ from });
      },
    });

  test("one that is being confirmed", async () => {
    const { id, app: first } = await enrolled();
    const replace = (): Promise<unknown> => totp.enroll(id, "ann@example.com");
    const answer = database.run((orm) =>
      totp.confirm(id, codeOf(first), interrupted(orm, replace)),
    );
    expect(await answer).toBe(false);
    const rows = await query(sql`SELECT confirmed_at FROM bulwark.totp_credentials`);
    expect(rows).toEqual([{ confirmed_at: null }]);
  });

  test("one that is in use", async () => {
    const { id, app: first } = await confirmed();
    const replace = async (): Promise<void> => {
      await remove(id);
      const next = await totp.enroll(id, "ann@example.com");
      expect(await confirm(id, codeOf(next, -1))).toBe(true);
    };
    const slow: Pick<Database, "run"> = {
      run: (work) => database.run((orm) => work(interrupted(orm, replace))),
    };
    const interruptedTotp = new TotpService({
      database: { ...database, ...slow },
      sealer,
      clock,
      issuerName: "Example",
    });
    expect(await interruptedTotp.verify(id, codeOf(first))).toBe(false);
  });
});

describe("the secret", () => {
  test("stands nowhere in the database, in no spelling", async () => {
    const { app: authenticator } = await confirmed();
    const secret = secretOf(authenticator);
    const stored = (await dump()).toLowerCase();
    for (const spelling of [
      authenticator.secret,
      secret.toString("hex"),
      secret.toString("base64url"),
      secret.toString("base64").replace(/=+$/, ""),
    ]) {
      expect(stored).not.toContain(spelling.toLowerCase());
    }
  });

  test("opens nowhere but in its own user's row", async () => {
    const [one, other] = [await confirmed(), await confirmed()];
    await query(sql`UPDATE bulwark.totp_credentials SET secret_sealed =
      (SELECT secret_sealed FROM bulwark.totp_credentials WHERE user_id = ${other.id})
      WHERE user_id = ${one.id}`);
    await expect(totp.verify(one.id, codeOf(other.app))).rejects.toThrow(SealError);
  });

  test("that cannot be opened is an error of ours, which says nothing of why; a recovery code still gets in", async () => {
    const account = await withTotp(app);
    account.next();
    await query(sql`UPDATE bulwark.totp_credentials SET secret_sealed = 'AQ'`);
    const challengeToken = await challengeOf(app, account);
    const answer = (method: string, code = "") =>
      call("POST", "/api/auth/mfa/challenge", { body: { challengeToken, method, code } });
    const failed = await answer("totp", account.code());
    expect([failed.status, failed.json["code"]]).toEqual([500, "INTERNAL_ERROR"]);
    expect(failed.text).not.toMatch(/seal|opened|secret/i);
    expect((await answer("recovery", account.recoveryCodes[0])).status).toBe(200);
  });

  test("outlives a rotation of the application's secret, until the older one is gone", async () => {
    const { id, app: authenticator } = await confirmed();
    const newest = generateSecret();
    const rotated = { database, clock, issuerName: "Example" };
    const both = new Sealer(createKeyRing([newest, SECRET]));
    const code = codeOf(authenticator);
    expect(await new TotpService({ ...rotated, sealer: both }).verify(id, code)).toBe(true);
    const alone = new TotpService({ ...rotated, sealer: new Sealer(createKeyRing([newest])) });
    await expect(alone.verify(id, code)).rejects.toThrow(SealError);
  });
});
