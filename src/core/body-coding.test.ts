import { describe, expect, test, vi } from "vitest";
import {
  type BodyDecoder,
  type CodingRules,
  codingOf,
  decodeBody,
  WEB_CODINGS,
  webDecoder,
} from "./body-coding.ts";

const ALL: CodingRules = { ...WEB_CODINGS, codings: ["gzip", "deflate", "br"] };

describe("codingOf", () => {
  test.each([
    [null, undefined],
    ["identity", undefined],
    ["Identity", undefined],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["deflate", "deflate"],
    ["br", "br"],
  ])("%j is %s", (value, coding) => {
    expect(codingOf(value, ALL)).toBe(coding);
  });

  test.each([
    "",
    "gzip, gzip",
    "gzip,",
    "identity, gzip",
    "gzip, identity",
    "zstd",
    "compress",
    "x-deflate",
    "gzip;q=1",
    "gzip\u00a0",
    "*",
    "constructor",
    "gz\u0131p",
  ])("%j is 415, with what is taken", (value) => {
    expect(() => codingOf(value, ALL)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_MEDIA_TYPE",
        headers: { "accept-encoding": "gzip, deflate, br, identity" },
      }),
    );
  });

  test("what is not configured is 415 too", () => {
    const headers = { "accept-encoding": "identity" };
    for (const value of ["gzip", "br"]) {
      expect(() => codingOf(value, { ...ALL, codings: [] })).toThrow(
        expect.objectContaining({ headers }),
      );
    }
  });
});

describe("decodeBody bounds what is made", () => {
  const asked: number[] = [];
  const decoder: BodyDecoder = {
    codings: ["gzip"],
    decode: async (_bytes, _coding, limit) => {
      asked.push(limit);
      return "too-large";
    },
  };
  const refusal = async (size: number, limit: number, maxRatio = 100): Promise<string> => {
    const rules = { ...ALL, decoder, maxRatio };
    const thrown: unknown = await decodeBody(new Uint8Array(size), "gzip", limit, rules).catch(
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ code: "PAYLOAD_TOO_LARGE", statusCode: 413 });
    return (thrown as Error).message;
  };

  test.each<[size: number, limit: number, ratio: number, bytes: number, message: RegExp]>([
    [10, 1_000, 100, 1_000, /more than 1000 bytes/],
    [10, 1_048_576, 100, 65_536, /more than 100 times/],
    [656, 1_048_576, 100, 65_600, /more than 100 times/],
    [20_000, 1_048_576, 100, 1_048_576, /more than 1048576 bytes/],
    [20_000, 1_048_576, 4, 80_000, /more than 4 times/],
    [900_000, 1e9, 100, 16_777_216, /more than 16777216 bytes/],
  ])("%i bytes under a limit of %i, ratio %i", async (size, limit, ratio, bytes, message) => {
    asked.length = 0;
    expect(await refusal(size, limit, ratio)).toMatch(message);
    expect(asked).toEqual([bytes]);
  });

  test("what is malformed is 400", async () => {
    const malformed: BodyDecoder = { codings: ["gzip"], decode: async () => "malformed" };
    const rules = { ...ALL, decoder: malformed };
    await expect(decodeBody(new Uint8Array(1), "gzip", 10, rules)).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});

describe("webDecoder", () => {
  const text = new TextEncoder().encode("to be packed ".repeat(100));

  const packed = async (format: CompressionFormat): Promise<Uint8Array> => {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream(format));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  test.each(["gzip", "deflate"] as const)("unpacks %s", async (coding) => {
    const bytes = await packed(coding);
    expect(await webDecoder.decode(bytes, coding, text.length)).toEqual(text);
    expect(await webDecoder.decode(bytes, coding, text.length - 1)).toBe("too-large");
    expect(await webDecoder.decode(bytes.subarray(0, -3), coding, 1e6)).toBe("malformed");
    expect(await webDecoder.decode(text, coding, 1e6)).toBe("malformed");
  });

  test("has no br", async () => {
    expect(webDecoder.codings).not.toContain("br");
    expect(await webDecoder.decode(text, "br", 1e6)).toBe("malformed");
  });

  test("stops a bomb soon after the limit: it is fed in small pieces", async () => {
    let fed = 0;
    class Expanding extends TransformStream<Uint8Array, Uint8Array> {
      constructor() {
        super({
          transform(chunk, controller) {
            fed += chunk.byteLength;
            controller.enqueue(new Uint8Array(chunk.byteLength * 1_000));
          },
        });
      }
    }
    vi.stubGlobal("DecompressionStream", Expanding);
    try {
      const bomb = new Uint8Array(1_000_000);
      expect(await webDecoder.decode(bomb, "gzip", 1_048_576)).toBe("too-large");
      expect(fed).toBeLessThan(4_000);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
