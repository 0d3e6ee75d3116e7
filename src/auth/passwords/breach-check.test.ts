import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Log } from "../../core/index.ts";
import { BreachCheck, type BreachCheckOptions, type BreachedPasswords } from "./index.ts";

const PASSWORD = "correct horse battery";
const HASH = createHash("sha1").update(PASSWORD).digest("hex").toUpperCase();
const SUFFIX = HASH.slice(5);
const OTHER = "0".repeat(35);

/** A check with a fake port, and what it asked and logged. */
function checked(
  range: BreachedPasswords["range"],
  options: Partial<BreachCheckOptions> = {},
): { check: BreachCheck; asked: string[]; logged: string[] } {
  const asked: string[] = [];
  const logged: string[] = [];
  const keep = (facts: object, message: string): void => {
    logged.push(`${message} ${inspect(facts)}`);
  };
  const log: Log = { info: keep, warn: keep, error: keep };
  const fakeBreachedPasswords: BreachedPasswords = {
    range: (prefix, signal) => {
      asked.push(prefix);
      return range(prefix, signal);
    },
  };
  const check = new BreachCheck({ passwords: fakeBreachedPasswords, log, ...options });
  return { check, asked, logged };
}

describe("an answer", () => {
  test.each<[answer: string, breached: boolean]>([
    [`${OTHER}:7\r\n${SUFFIX}:3\r\n`, true],
    [`${SUFFIX.toLowerCase()}:1`, true],
    [`${OTHER}:7\n${SUFFIX}:3`, true],
    [`${OTHER}:7\r\n`, false],
    // Padding.
    [`${SUFFIX}:0\r\n${OTHER}:7`, false],
    // Part of another line.
    [`${OTHER}:7\r\n0${SUFFIX}:3`, false],
    [`${OTHER}:7\r\n${SUFFIX}:many`, false],
  ])("%j: %s", async (answer, breached) => {
    const { check, asked, logged } = checked(async () => answer);
    expect(await check.isBreached(PASSWORD)).toBe(breached);
    // Five characters leave the process, and nothing else.
    expect(asked).toEqual([HASH.slice(0, 5)]);
    expect(logged).toEqual([]);
  });
});

const failures: readonly [what: string, range: BreachedPasswords["range"]][] = [
  ["rejects", () => Promise.reject(new Error("connect ECONNREFUSED"))],
  [
    "throws",
    () => {
      throw new Error("x");
    },
  ],
  ["is empty", async () => ""],
  ["is a page of HTML", async () => "<html>captive portal</html>"],
  ["is endless", async () => `${OTHER}:7\r\n`.repeat(30_000)],
];

describe.each(failures)("where the list %s", (_what, range) => {
  test("a password is accepted by default, with one line in the log that does not hold it", async () => {
    const { check, logged } = checked(range);
    expect(await check.isBreached(PASSWORD)).toBe(false);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("without the breach check");
    expect(logged[0]).not.toContain(PASSWORD);
    expect(logged[0]).not.toContain(HASH.slice(0, 5));
  });

  test("it is refused where the policy says so: nobody knows, so 503", async () => {
    const { check } = checked(range, { whenUnavailable: "refuse" });
    await expect(check.isBreached(PASSWORD)).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
      statusCode: 503,
    });
  });
});

describe("the time budget", () => {
  test("ends a call that does not answer, and aborts it", async () => {
    const budgets: number[] = [];
    let aborted = false;
    const never: BreachedPasswords["range"] = (_prefix, signal) =>
      new Promise(() => {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
      });
    const delay = async (ms: number): Promise<void> => {
      budgets.push(ms);
    };
    const { check, logged } = checked(never, { delay });
    expect(await check.isBreached(PASSWORD)).toBe(false);
    expect(budgets).toEqual([1_000]);
    expect(aborted).toBe(true);
    expect(logged[0]).toContain("no answer within 1000 ms");
  });

  test("leaves no timer behind an answer", async () => {
    let ended = false;
    const delay = (_ms: number, signal: AbortSignal): Promise<unknown> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          ended = true;
          reject(new Error("aborted"));
        });
      });
    const { check } = checked(async () => `${OTHER}:7`, { delay });
    expect(await check.isBreached(PASSWORD)).toBe(false);
    expect(ended).toBe(true);
  });
});
