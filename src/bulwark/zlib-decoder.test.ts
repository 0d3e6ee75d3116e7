import {
  brotliCompressSync,
  constants,
  crc32,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContentCoding } from "../core/index.ts";
import { createZlibDecoder } from "./zlib-decoder.ts";

const decoder = createZlibDecoder();
const decode: typeof decoder.decode = (...all) => decoder.decode(...all);
const TEXT = Buffer.from("never the same text, and never twice ".repeat(40));

const PACK: Readonly<Record<ContentCoding, (bytes: Uint8Array) => Buffer>> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
const CODINGS = Object.keys(PACK) as ContentCoding[];

const brotli = (bytes: Uint8Array, window: number): Buffer =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_LGWIN]: window, [constants.BROTLI_PARAM_QUALITY]: 4 },
  });

describe.each(CODINGS)("%s", (coding) => {
  const packed = PACK[coding](TEXT);
  const bytes = new Uint8Array(packed);

  test("is unpacked", async () => {
    expect(await decode(bytes, coding, TEXT.length)).toEqual(TEXT);
  });

  test("of nothing is nothing, within any limit", async () => {
    expect(await decode(PACK[coding](Buffer.of()), coding, 0)).toHaveLength(0);
  });

  test.each([TEXT.length - 1, 100, 1, 0])("is not unpacked beyond %i bytes", async (limit) => {
    expect(await decode(bytes, coding, limit)).toBe("too-large");
  });

  test("is refused wherever it is cut off", async () => {
    for (let end = 0; end < bytes.length; end += 1) {
      expect(await decode(bytes.subarray(0, end), coding, 1e6)).toBe("malformed");
    }
  });

  test.each<[what: string, tail: Uint8Array]>([
    ["a byte", Uint8Array.of(1)],
    ["zeros", new Uint8Array(512)],
    ["itself", packed],
    ["a stream of nothing", PACK[coding](Buffer.of())],
  ])("is refused with %s behind it", async (_what, tail) => {
    expect(await decode(Buffer.concat([packed, tail]), coding, 1e6)).toBe("malformed");
  });

  test("is refused with a stream of nothing before it", async () => {
    const empty = PACK[coding](Buffer.of());
    expect(await decode(Buffer.concat([empty, packed]), coding, 1e6)).toBe("malformed");
  });

  test("is refused where it is text, or of another coding", async () => {
    expect(await decode(TEXT, coding, 1e6)).toBe("malformed");
    for (const other of CODINGS) {
      if (other === coding) continue;
      expect(await decode(PACK[other](TEXT), coding, 1e6)).toBe("malformed");
    }
  });

  test("is what it was, whatever it was", async () => {
    const anything = fc.uint8Array({ maxLength: 3_000 });
    await fc.assert(
      fc.asyncProperty(anything, async (one) => {
        const back = await decode(PACK[coding](one), coding, one.length);
        expect(Buffer.from(back as Uint8Array).equals(one)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("never rejects, and never gives more than the limit, for any bytes", async () => {
    const flipped = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(flipped, async ([at, bits]) => {
        const bad = Uint8Array.from(bytes);
        bad[at] = (bad[at] ?? 0) ^ bits;
        const back = await decode(bad, coding, 5_000);
        if (typeof back === "string") expect(["malformed", "too-large"]).toContain(back);
        else expect(back.length).toBeLessThanOrEqual(5_000);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a gzip member", () => {
  /** A member with a header of its own (RFC 1952 section 2.3.1). */
  const member = (flags: number, fields: readonly number[], body: Uint8Array = TEXT): Buffer => {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(crc32(body), 0);
    trailer.writeUInt32LE(body.length, 4);
    const head = Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255, ...fields]);
    const sum = Buffer.alloc(flags & 2 ? 2 : 0);
    if (sum.length > 0) sum.writeUInt16LE(crc32(head) & 0xffff, 0);
    return Buffer.concat([head, sum, deflateRawSync(body), trailer]);
  };

  test.each<[what: string, flags: number, fields: readonly number[]]>([
    ["of the shortest header", 0, []],
    ["marked as text", 1, []],
    ["with a checksum of the header", 2, []],
    ["with an extra field", 4, [3, 0, 9, 0, 9]],
    ["with a name", 8, [0x61, 0x62, 0]],
    ["with a comment", 16, [0x61, 0]],
    ["with everything", 31, [1, 0, 7, 0x61, 0, 0]],
  ])("%s is unpacked, as others do", async (_what, flags, fields) => {
    const bytes = member(flags, fields);
    expect(gunzipSync(bytes)).toEqual(TEXT);
    expect(await decode(bytes, "gzip", 1e6)).toEqual(TEXT);
  });

  const wrong = (at: number): Buffer => {
    const bytes = member(2, []);
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    return bytes;
  };

  test.each<[what: string, bytes: Uint8Array]>([
    ["of a reserved flag", member(0x20, [])],
    ["of another method", Buffer.from([0x1f, 0x8b, 7, ...member(0, []).subarray(3)])],
    ["of a wrong checksum of the header", wrong(10)],
    ["of a wrong checksum", wrong(-8)],
    ["of a wrong size", wrong(-4)],
    ["whose name never ends", Buffer.from([0x1f, 0x8b, 8, 8, ...Array<number>(30).fill(65)])],
    ["whose extra field is longer than it", member(4, [255, 255])],
    ["of a header alone", member(0, []).subarray(0, 10)],
  ])("%s is refused", async (_what, bytes) => {
    expect(await decode(bytes, "gzip", 1e6)).toBe("malformed");
  });
});

test("a raw deflate stream is none of zlib, which `deflate` means", async () => {
  expect(await decode(deflateRawSync(TEXT), "deflate", 1e6)).toBe("malformed");
});

test("a zlib stream that needs a dictionary is refused", async () => {
  const bytes = deflateSync(TEXT, { dictionary: Buffer.from("never the same") });
  expect(await decode(bytes, "deflate", 1e6)).toBe("malformed");
});

test.each([10, 16, 17, 18, 22])("br is taken with a window of 2^%i", async (window) => {
  expect(await decode(brotli(TEXT, window), "br", 1e6)).toEqual(TEXT);
});

test.each([23, 24])("br is refused with a window of 2^%i, whatever it holds", async (window) => {
  expect(await decode(brotli(TEXT, window), "br", 1e6)).toBe("malformed");
});

const BOMB = Buffer.alloc(64_000_000);

test.each(CODINGS)("a burst of 64 bombs of %s leaves memory flat", async (coding) => {
  const bomb = coding === "br" ? brotli(BOMB, 22) : PACK[coding](BOMB);
  expect(BOMB.length / bomb.length).toBeGreaterThan(500);
  const one = decode(bomb, coding, 1_048_576);
  expect(await one).toBe("too-large");
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 1);
  const before = process.memoryUsage.rss();
  const all = await Promise.all(Array.from({ length: 64 }, () => decode(bomb, coding, 1_048_576)));
  clearInterval(watch);
  expect(new Set(all)).toEqual(new Set(["too-large"]));
  expect(Math.max(most, process.memoryUsage.rss()) - before).toBeLessThan(96_000_000);
});

test("256 bodies wait at most; more are refused, and those that wait are unpacked", async () => {
  const own = createZlibDecoder();
  const packed = gzipSync(TEXT);
  const settled = await Promise.allSettled(
    Array.from({ length: 300 }, () => own.decode(packed, "gzip", 1e6)),
  );
  const refused = settled.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(300 - 256 - 2);
  for (const each of refused) {
    expect(each).toMatchObject({ reason: { code: "SERVICE_UNAVAILABLE", statusCode: 503 } });
  }
  expect(await own.decode(packed, "gzip", 1e6)).toEqual(TEXT);
});
