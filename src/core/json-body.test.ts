import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JSON_LIMITS, type JsonLimits, parseJson } from "./json-body.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string, limits: Partial<JsonLimits> = {}): unknown =>
  parseJson(bytesOf(text), { ...JSON_LIMITS, ...limits });

const refusal = (text: string | Uint8Array, limits: Partial<JsonLimits> = {}): string => {
  try {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    parseJson(bytes, { ...JSON_LIMITS, ...limits });
  } catch (error) {
    expect(error).toMatchObject({ statusCode: 400 });
    expect(error).not.toHaveProperty("cause");
    return (error as Error).message;
  }
  return "none";
};

describe("parseJson reads as JSON.parse does", () => {
  test.each([
    "{}",
    "[]",
    "null",
    '""',
    "-0.5e-3",
    ' { "a" : [ 1 , 2 , { "b" : null } ] } ',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":2}]',
    '{"a":1,"A":2}',
    '{"":1}',
    '{"a:b":"c,d","e":"[{"}',
    String.raw`{"a\"":"\\","b\\":"\""}`,
    String.raw`{"\u0061":1,"b":"\u00e9\ud83d\ude00"}`,
    '{"constructor":1,"prototype":{},"toString":{"prototype":1}}',
    '{"constructor":{"name":"x"}}',
    '"\u00e9\u4e2d\u{1f600}"',
    "9007199254740993",
    "1e308",
  ])("%s", (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test("a byte order mark in front of it (RFC 8259 section 8.1)", () => {
    expect(parse("\ufeff[1]")).toEqual([1]);
  });
});

const NESTED = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const DUPLICATE = "An object in the body names a key twice.";
const INVALID = "The body is not valid JSON.";

describe("parseJson refuses", () => {
  test.each<[text: string, message: string]>([
    // The filter before us may have read the first, and JSON.parse reads the last.
    ['{"role":"user","role":"admin"}', DUPLICATE],
    [String.raw`{"role":1,"r\u006fle":2}`, DUPLICATE],
    ['[{"a":[{"b":1,"c":2,"b":3}]}]', DUPLICATE],
    ['{"a":{"x":1},"a":{"y":2}}', DUPLICATE],
    ['{"":1,"":2}', DUPLICATE],
    ['{"1":1,"1":2}', DUPLICATE],
    ['{"a":1', INVALID],
    ['{"a":1}}', INVALID],
    ["{'a':1}", INVALID],
    ["[1,]", INVALID],
    ["01", INVALID],
    ["NaN", INVALID],
    ['"a\nb"', INVALID],
    ["", INVALID],
    ["[1]//", INVALID],
    [']]]]"', INVALID],
    ['"\\', INVALID],
  ])("%s", (text, message) => {
    expect(refusal(text)).toBe(message);
  });

  test.each<[what: string, bytes: number[]]>([
    ["a byte that is none of UTF-8", [0x22, 0xff, 0x22]],
    ["an overlong quote", [0x22, 0xc0, 0xa2, 0x22]],
    ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["UTF-16", [0xff, 0xfe, 0x5b, 0, 0x5d, 0]],
    ["UTF-32", [0x5b, 0, 0, 0, 0x5d, 0, 0, 0]],
  ])("%s", (_what, bytes) => {
    expect(refusal(Uint8Array.from(bytes))).toBe(INVALID);
  });

  test("without quoting what it is: it may hold a secret", () => {
    for (const text of ['{"p":"hunter2', '{"hunter2":1,"hunter2":2}']) {
      expect(refusal(text)).not.toContain("hunter2");
    }
  });
});

describe("parseJson names the field of", () => {
  test.each<[text: string, field: string, code: string]>([
    ['{"__proto__":{"admin":true}}', "__proto__", "unsafe_key"],
    [String.raw`{"\u005f_proto__":1}`, "__proto__", "unsafe_key"],
    ['[{"a":[{"__proto__":null}]}]', "0.a.0.__proto__", "unsafe_key"],
    ['{"constructor":{"prototype":{"admin":true}}}', "constructor", "unsafe_key"],
    [String.raw`{"a":{"\\":1}}`, String.raw`a.\\`.slice(0, -1), "unsafe_key"],
    ["1e999", "", "out_of_range"],
    ['{"a":[0,-1e999]}', "a.1", "out_of_range"],
    [String.raw`"\ud800"`, "", "invalid_text"],
    [String.raw`["\udc00\ud800"]`, "0", "invalid_text"],
    [String.raw`{"b":{"\ud83d":1}}`, "b", "invalid_text"],
    [String.raw`{"a":1,"b":{"c":"x\ud83dy"}}`, "b.c", "invalid_text"],
  ])("%s", (text, field, code) => {
    const expected = { code: "VALIDATION_ERROR", details: [{ field, code }] };
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: expected.code }));
    try {
      parse(text);
    } catch (error) {
      expect(error).toMatchObject(expected);
    }
  });
});

// V8 13.6 reads the second key as a backslash once it knows objects with one.
test("a key of one escaped character is never taken as another", () => {
  JSON.parse(String.raw`[{"A":1,"\\":2,"z":1},{"A":1,"\\":2,"z":1}]`);
  for (let round = 0; round < 10; round += 1) {
    for (const text of [
      String.raw`{"A":1,"\u0042":2,"z":3}`,
      String.raw`{"A":1,"\u0041":2,"z":3}`,
      String.raw`{"A":1,"\"":2,"z":3}`,
    ]) {
      try {
        const keys = Object.keys(parse(text) as object);
        expect([
          ["A", "B", "z"],
          ["A", '"', "z"],
        ]).toContainEqual(keys);
      } catch (error) {
        expect(error).toMatchObject({ statusCode: 400 });
      }
    }
  }
});

describe("the limits of JSON", () => {
  test.each<[limits: Partial<JsonLimits>, good: string, bad: string, message: string]>([
    [{}, NESTED(32), NESTED(33), "The body is nested deeper than 32 levels."],
    [{ depth: 1 }, "[1]", '{"a":[]}', "The body is nested deeper than 1 levels."],
    [{ depth: 2 }, '[{},{},"[[[["]', "[[{}]]", "The body is nested deeper than 2 levels."],
    [{ keys: 2 }, '{"a":":::","b":1}', '[{"a":1,"b":2},{"a":3}]', "The body has more than 2 keys."],
    [
      { elements: 3 },
      '[1,[2],{"a":1,"b":2}]'.replace("[2]", "2"),
      "[1,[2,3]]",
      "The body has more than 3 elements in its arrays.",
    ],
    [{ elements: 1 }, "[1]", "[1,2]", "The body has more than 1 elements in its arrays."],
  ])("%j", (limits, good, bad, message) => {
    expect(parse(good, limits)).toEqual(JSON.parse(good));
    expect(refusal(bad, limits)).toBe(message);
  });

  test("stand before anything is built: a million of each is counted in a few passes", () => {
    const keys = Array.from({ length: 100_000 }, (_, index) => `"${index}":0`).join();
    const started = performance.now();
    expect(refusal("[".repeat(1_000_000))).toMatch(/deeper/);
    expect(refusal('{"a":'.repeat(200_000))).toMatch(/deeper/);
    expect(refusal(`{${keys}}`)).toMatch(/keys/);
    expect(refusal(`[${"0,".repeat(500_000)}0]`)).toMatch(/elements/);
    // A pass that went back would take minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("nothing that somebody added to every object lets a body pass", () => {
    const planted = { enumerable: true, configurable: true, writable: true, value: 1 };
    Object.defineProperty(Object.prototype, "planted", planted);
    let message = "none";
    try {
      parse('{"a":1}');
    } catch (error) {
      message = (error as Error).message;
    } finally {
      delete (Object.prototype as { planted?: unknown }).planted;
    }
    expect(message).toBe(DUPLICATE);
  });
});

/** A slow reader of JSON text, straight from the grammar of RFC 8259; undefined where the text is none. */
function readSlowly(
  text: string,
): { depth: number; keys: number; elements: number; isDouble: boolean } | undefined {
  const seen = { depth: 0, keys: 0, elements: 0, isDouble: false };
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError();
  };
  const skip = (): void => {
    while (" \t\r\n".includes(text[at] ?? "x")) at += 1;
  };
  const take = (pattern: RegExp): string => {
    const match = new RegExp(pattern.source, "yu");
    match.lastIndex = at;
    const found = match.exec(text)?.[0] ?? fail();
    at += found.length;
    return found;
  };
  const STRING = /"(?:[^"\\\p{Cc}]|\u007f|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/u;
  const value = (depth: number): void => {
    skip();
    if (text[at] === "{") inside(depth + 1, "}", new Set());
    else if (text[at] === "[") inside(depth + 1, "]", undefined);
    else if (text[at] === '"') take(STRING);
    else take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/);
    skip();
  };
  const inside = (depth: number, end: string, names: Set<string> | undefined): void => {
    seen.depth = Math.max(seen.depth, depth);
    at += 1;
    skip();
    if (text[at] === end) {
      at += 1;
      return;
    }
    for (;;) {
      skip();
      if (names === undefined) seen.elements += 1;
      else {
        seen.keys += 1;
        const name = JSON.parse(take(STRING)) as string;
        if (names.has(name)) seen.isDouble = true;
        names.add(name);
        skip();
        if (text[at] !== ":") fail();
        at += 1;
      }
      value(depth);
      if (text[at] === end) break;
      if (text[at] !== ",") fail();
      at += 1;
    }
    at += 1;
  };
  try {
    value(0);
    return at === text.length ? seen : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Texts that are JSON or nearly: with keys that are the same in other spellings, brackets in strings, and faults. */
const key = fc.constantFrom(
  '"a"',
  String.raw`"\u0061"`,
  '"b"',
  '"a\\\\"',
  '"\\""',
  '"{"',
  '":,"',
  '"\u00e9"',
);
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(
      "1",
      "-2.5e3",
      "true",
      "null",
      '"[{"',
      '"\\\\"',
      String.raw`"x\"]"`,
      '" "',
      '"\u{1f600}"',
    ),
    fc.array(tie("json"), { maxLength: 4 }).map((all) => `[${all.join(" ,")}]`),
    fc
      .array(fc.tuple(key, tie("json")), { maxLength: 4 })
      .map((all) => `{${all.map(([name, value]) => `${name} :${value}`).join(",")}}`),
  ),
}));
const broken = fc
  .tuple(
    json,
    fc.nat(),
    fc.constantFrom("", '"', "\\", "[", "]", "{", "}", ",", ":", "\u00e9", "\n"),
  )
  .map(([text, where, put]) => {
    const at = where % (text.length + 1);
    return `${text.slice(0, at)}${put}${text.slice(at + 1)}`.toWellFormed();
  });

describe("beside a slow reader of the grammar", () => {
  const limits = { depth: 3, keys: 5, elements: 6 };

  test("every text is taken or refused for the same reason", () => {
    let taken = 0;
    const property = fc.property(fc.oneof(json, broken), (text) => {
      const slow = readSlowly(text);
      const message = refusal(text, limits);
      const isDeep = (slow?.depth ?? 0) > limits.depth;
      const isMany = (slow?.keys ?? 0) > limits.keys || (slow?.elements ?? 0) > limits.elements;
      const isGood = slow !== undefined && !isDeep && !isMany && !slow.isDouble;
      if (message === "none") {
        taken += 1;
        expect(isGood).toBe(true);
        expect(parse(text, limits)).toEqual(JSON.parse(text));
      } else if (isGood) {
        // Some engines misread a key of one escaped character: such a body may be refused, but never taken as another.
        expect(message).toBe("The input is not valid.");
        expect(text).toMatch(/"\\(?:u....|.)"\s*:/);
      } else if (isDeep) expect(message).toMatch(/deeper/);
      else if (isMany) expect(message).toMatch(/more than|twice|not valid/);
      else if (slow?.isDouble === true) expect(message).toMatch(/twice|input is not valid/);
      else expect(message).toMatch(/not valid|deeper|more than/);
    });
    fc.assert(property, { numRuns: 5_000 });
    expect(taken).toBeGreaterThan(500);
  });

  test("what JSON.stringify writes is read back as it was", () => {
    const value = fc
      .jsonValue({ maxDepth: 6 })
      .filter((one) => !/__proto__|"\\(?:u....|.)":/.test(JSON.stringify(one)));
    const wide = { depth: 100, keys: 100_000, elements: 100_000 };
    fc.assert(
      fc.property(value, (one) => {
        const text = JSON.stringify(one);
        expect(parse(text, wide)).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
