import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

test.each<[text: string, milliseconds: number]>([
  ["1ms", 1],
  ["250ms", 250],
  ["10s", 10_000],
  ["15m", 900_000],
  ["1h", 3_600_000],
  ["7d", 604_800_000],
  ["100000d", 8_640_000_000_000],
  ["007s", 7_000],
])("%s is %i ms", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  "",
  "s",
  "10",
  "0s",
  "-1s",
  "1.5h",
  "1 s",
  " 1s",
  "1s ",
  "1s\n",
  "1S",
  "1w",
  "1e3s",
  "0x1s",
  "1m1s",
  "100001d",
  `${"9".repeat(13)}ms`,
  "\u0661s",
])("%j is none", (text) => {
  expect(() => parseDuration(text, "rateLimit.window")).toThrow(RangeError);
  expect(() => parseDuration(text, "rateLimit.window")).toThrow(
    `rateLimit.window: expected a duration such as "30s", "15m" or "1h", came ${JSON.stringify(text)}`,
  );
});
