import { parseList } from "structured-headers";
import { expect, test } from "vitest";
import { addLimitFields, type LimitFields } from "./limit-fields.ts";
import type { LimitPolicy, LimitState } from "./ports.ts";

const state = (
  policy: Partial<LimitPolicy>,
  remaining: number,
  more: Partial<LimitState> = {},
): LimitState => ({
  policy: { name: "login", requests: 100, windowMs: 60_000, ...policy },
  remaining,
  resetMs: 12_345,
  ...more,
});

/** The items of a list as [value, parameters]; it throws where the text is no list of structured fields. */
const itemsOf = (text: string): [unknown, Record<string, unknown>][] =>
  parseList(text).map(([value, parameters]) => [value, Object.fromEntries(parameters)]);

test("a limit is told as two lists of structured fields", () => {
  const fields = addLimitFields(undefined, [state({}, 7)], undefined) as LimitFields;
  expect(itemsOf(fields.policies)).toEqual([["login", { q: 100, w: 60 }]]);
  expect(itemsOf(fields.states)).toEqual([["login", { r: 7, t: 13 }]]);
});

test("whom it counts is told as bytes", () => {
  const partitionOf = (key: string): string => btoa(`hash of ${key}`);
  const fields = addLimitFields(undefined, [state({}, 7, { key: "a" })], partitionOf);
  const [[, { pk }] = [0, {}]] = itemsOf(fields?.states ?? "");
  expect(new TextDecoder().decode(pk as ArrayBuffer)).toBe("hash of a");
});

test("several are told in order, over several decisions, and the one nearest to refusing stands out", () => {
  const wide = state({ name: "address", requests: 6_000 }, 5_000);
  const first = addLimitFields(undefined, [wide, state({}, 7)], undefined);
  const both = addLimitFields(first, [state({ name: "user", requests: 10 }, 9)], undefined);
  expect(itemsOf(both?.policies ?? "").map(([name]) => name)).toEqual(["address", "login", "user"]);
  expect(itemsOf(both?.states ?? "").map(([name]) => name)).toEqual(["address", "login", "user"]);
  expect(both?.tightest.policy.name).toBe("login");
  const tighter = addLimitFields(both, [state({ name: "key", requests: 10 }, 0)], undefined);
  expect(tighter?.tightest.policy.name).toBe("key");
});

test("a limit that is hidden is not told", () => {
  const hidden = state({ name: "account", isHidden: true }, 0);
  expect(addLimitFields(undefined, [hidden], undefined)).toBeUndefined();
  const fields = addLimitFields(undefined, [hidden, state({}, 7)], undefined);
  expect(fields?.states).not.toContain("account");
  expect(fields?.tightest.policy.name).toBe("login");
});

test.each([
  'a "quoted" name',
  "a\\b",
  "POST /api/\u00e9t\u00e9 5/1m",
  "new\r\nline",
  'x", evil;q=1',
])("%j is one item, whatever stands in it", (name) => {
  const fields = addLimitFields(undefined, [state({ name }, 1)], undefined) as LimitFields;
  for (const text of [fields.policies, fields.states]) {
    expect(itemsOf(text)).toHaveLength(1);
    expect(text).toMatch(/^[ -~]*$/);
  }
});

test("a window that is no whole number of seconds is not told as one", () => {
  const fields = addLimitFields(undefined, [state({ windowMs: 1_500 }, 1)], undefined);
  expect(itemsOf(fields?.policies ?? "")).toEqual([["login", { q: 100 }]]);
});
