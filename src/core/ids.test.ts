import { describe, expect, test } from "vitest";
import { isUuid, requestIdOf, uuidv7 } from "./ids.ts";
import { isoTime } from "./iso-time.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("uuidv7", () => {
  test("carries the time, the version and the variant (RFC 9562 5.7)", () => {
    // The RFC's own example, appendix A.6: 2022-02-22T19:22:22Z.
    expect(uuidv7(1_645_557_742_000)).toMatch(
      /^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(uuidv7(0)).toMatch(/^00000000-0000-7/);
    expect(uuidv7(1.9)).toMatch(/^00000000-0001-7/);
  });

  test("sorts by time", () => {
    const times = [0, 1, 65_535, 65_536, 1_700_000_000_000, 1_700_000_000_001, 4_102_444_800_000];
    const ids = times.map((time) => uuidv7(time));
    expect(ids.toSorted()).toEqual(ids);
  });

  test("does not repeat within a millisecond", () => {
    const ids = Array.from({ length: 5_000 }, () => uuidv7(7));
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.every(isUuid)).toBe(true);
  });
});

test.each<[text: string, uuid: boolean]>([
  ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", true],
  ["017F22E2-79B0-7CC3-98C4-DC0C0C07398F", false],
  ["017f22e279b07cc398c4dc0c0c07398f", false],
  ["{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", false],
  ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n", false],
  ["00000000-0000-0000-0000-000000000000", false],
  ["1", false],
  ["", false],
  ["' OR 1=1 --", false],
])("%j is a UUID: %s", (text, uuid) => {
  expect(isUuid(text)).toBe(uuid);
});

describe("requestIdOf", () => {
  test.each(["abcdefgh", "req-2026.11_x", "0".repeat(64), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"])(
    "keeps %s",
    (given) => {
      expect(requestIdOf(given)).toBe(given);
    },
  );

  test.each([
    null,
    "",
    "short",
    "0".repeat(65),
    "-abcdefgh",
    "has space",
    'quote"quote',
    "line\nbreak",
    "aaaaaaaa\0",
    "caf\u00e9-caf\u00e9",
    "<script>",
  ])("makes one of its own for %j", (given) => {
    expect(requestIdOf(given)).toMatch(UUID_V4);
  });
});

test("isoTime is a moment's text, the same millisecond or another", () => {
  expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(isoTime(0.7)).toBe("1970-01-01T00:00:00.000Z");
  expect(isoTime(1_645_557_742_001)).toBe("2022-02-22T19:22:22.001Z");
  expect(isoTime(0)).toBe("1970-01-01T00:00:00.000Z");
});
