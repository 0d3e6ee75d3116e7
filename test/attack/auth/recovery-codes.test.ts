import { beforeEach, describe, expect, test } from "vitest";
import { RecoveryCodes } from "../../../src/auth/index.ts";
import { sha256 } from "../../../src/crypto/index.ts";
import { testApp } from "../../support/app.ts";

const app = await testApp();
const { clock, dump, reset, signUp } = app;
const { database } = app.bulwark;
beforeEach(reset);

const codes = new RecoveryCodes({ database, clock });
const regenerate = (userId: string): Promise<readonly string[]> =>
  database.transaction((tx) => codes.regenerate(userId, tx));

/** A user with ten codes, and the first of them. */
async function holder() {
  const { id } = await signUp();
  const all = await regenerate(id);
  return { id, all, first: all[0] ?? "" };
}

test("there are ten, of 120 bits each, in groups of four without ambiguous letters", async () => {
  const { all, id } = await holder();
  expect(new Set(all).size).toBe(10);
  for (const code of all)
    expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(await codes.remaining(id)).toBe(10);
});

test("every digit and letter comes up", async () => {
  const { id } = await signUp();
  const seen = new Set((await regenerate(id)).concat(await regenerate(id)).join(""));
  seen.delete("-");
  expect(seen.size).toBe(32);
});

test("of twenty who use one code at once, one gets in", async () => {
  const { id, first } = await holder();
  const answers = await Promise.all(Array.from({ length: 20 }, () => codes.use(id, first)));
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(await codes.use(id, first)).toBe(false);
  expect(await codes.remaining(id)).toBe(9);
});

test("each of the ten is good once, all at once", async () => {
  const { id, all } = await holder();
  const answers = await Promise.all([...all, ...all].map((code) => codes.use(id, code)));
  expect(answers.filter(Boolean)).toHaveLength(10);
  expect(await codes.remaining(id)).toBe(0);
});

test("new codes void the old ones", async () => {
  const { id, first } = await holder();
  const [fresh = ""] = await regenerate(id);
  expect(await codes.use(id, first)).toBe(false);
  expect(await codes.use(id, fresh)).toBe(true);
});

test("a regeneration that is rolled back voids nothing", async () => {
  const { id, first } = await holder();
  const undone = database.transaction(async (tx) => {
    await codes.regenerate(id, tx);
    throw new TypeError("undo");
  });
  await expect(undone).rejects.toThrow("undo");
  expect(await codes.use(id, first)).toBe(true);
});

test("a code is its user's alone", async () => {
  const [one, other] = [await holder(), await holder()];
  expect(await codes.use(one.id, other.first)).toBe(false);
  expect(await codes.use(other.id, other.first)).toBe(true);
});

describe("what people type", () => {
  test.each<[what: string, typed: (code: string) => string, good: boolean]>([
    ["as it was shown", (code) => code, true],
    ["in lower case", (code) => code.toLowerCase(), true],
    ["without dashes", (code) => code.replaceAll("-", ""), true],
    ["with spaces", (code) => ` ${code.replaceAll("-", "  ")}\n`, true],
    ["O for zero, I and l for one", (code) => code.replaceAll("0", "O").replaceAll("1", "l"), true],
    ["a character too few", (code) => code.slice(1), false],
    ["a character too many", (code) => `${code}0`, false],
    ["another character", (code) => (code.startsWith("0") ? "2" : "0") + code.slice(1), false],
    ["nothing", () => "", false],
    ["a long text", (code) => code + " ".repeat(100), false],
    ["another alphabet", () => "\u0410".repeat(24), false],
  ])("%s", async (_what, typed, good) => {
    const { id, first } = await holder();
    expect(await codes.use(id, typed(first))).toBe(good);
  });
});

test("of a code there is a hash that is bound to its user, and nothing else", async () => {
  const { id, all, first } = await holder();
  const stored = await dump();
  for (const code of all) {
    expect(stored).not.toContain(code);
    expect(stored).not.toContain(code.replaceAll("-", ""));
  }
  const plain = first.replaceAll("-", "");
  expect(stored).not.toContain(sha256(plain).toString("hex"));
  expect(stored).toContain(sha256(`recovery\0${id}\0${plain}`).toString("hex"));
});
