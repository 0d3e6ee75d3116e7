import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { limitBody, readBytes, readJson } from "./body.ts";

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Sent in pieces of this many bytes, without a length. */
  readonly chunk?: number;
}

const LIMIT = 16;

function requestOf({ headers = {}, body, chunk }: Sent): Request {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  let at = 0;
  const stream =
    bytes === undefined
      ? null
      : new ReadableStream<Uint8Array>({
          pull(controller) {
            if (at >= bytes.length) return controller.close();
            controller.enqueue(bytes.slice(at, at + (chunk ?? bytes.length)));
            at += chunk ?? bytes.length;
          },
        });
  const all = { "content-type": "application/json", ...headers };
  return new Request("http://h/", {
    method: "POST",
    headers: all,
    body: stream,
    duplex: "half",
  } as RequestInit);
}

const read = async (sent: Sent, limit = LIMIT): Promise<unknown> => {
  const request = requestOf(sent);
  return readJson({ request, info: {}, get: (name) => request.headers.get(name) }, limit);
};

const GZIP = { "content-encoding": "gzip" };
const gzip = (text: string): Uint8Array => new Uint8Array(gzipSync(text));

describe("readJson reads", () => {
  test.each<[what: string, sent: Sent, value: unknown]>([
    ["an object", { body: '{"a":1}' }, { a: 1 }],
    ["a body in pieces", { body: '{"a":[1,2]}', chunk: 1 }, { a: [1, 2] }],
    ["exactly the limit", { body: `"${"x".repeat(14)}"` }, "x".repeat(14)],
    ["a length that is right", { body: "[1]", headers: { "content-length": "3" } }, [1]],
    ["a length below what comes", { body: "[1]", headers: { "content-length": "1" } }, [1]],
    ["a byte order mark (RFC 8259 8.1)", { body: "\ufeff[1]" }, [1]],
    ["UTF-8", { body: '"\u00e9"' }, "\u00e9"],
    ["no body", {}, undefined],
    ["an empty body", { body: "" }, undefined],
    ["null, which is a value", { body: "null" }, null],
    ["the identity encoding", { body: "[1]", headers: { "content-encoding": "Identity" } }, [1]],
  ])("%s", async (_what, sent, value) => {
    expect(await read(sent)).toEqual(value);
  });
});

// CVE-2026-44456, CVE-2026-54288: the limit was read off the header, or never by a handler that did not read.
describe("readJson refuses", () => {
  test.each<[what: string, sent: Sent, status: number]>([
    ["one byte over the limit", { body: `"${"x".repeat(15)}"` }, 413],
    ["too much in pieces", { body: "[".repeat(100), chunk: 3 }, 413],
    [
      "too much under a forged length",
      { body: "[".repeat(100), headers: { "content-length": "2" } },
      413,
    ],
    ["a declared length over the limit", { body: "[]", headers: { "content-length": "17" } }, 413],
    ["a length that is no number", { body: "[]", headers: { "content-length": "2x" } }, 400],
    ["a negative length", { body: "[]", headers: { "content-length": "-1" } }, 400],
    ["a length in another notation", { body: "[]", headers: { "content-length": "1e1" } }, 400],
    ["two lengths", { body: "[]", headers: { "content-length": "2, 2" } }, 400],
    ["an endless length", { body: "[]", headers: { "content-length": "9".repeat(30) } }, 400],
    ["malformed JSON", { body: "{a:1}" }, 400],
    ["JSON that is cut off", { body: '{"a":' }, 400],
    ["JSON with something behind", { body: "[1] x" }, 400],
    ["white space alone", { body: "  " }, 400],
    ["invalid UTF-8", { body: Uint8Array.of(0x22, 0xff, 0x22) }, 400],
    ["an overlong slash", { body: Uint8Array.of(0x22, 0xc0, 0xaf, 0x22) }, 400],
    ["UTF-16", { body: Uint8Array.of(0xff, 0xfe, 0x5b, 0, 0x5d, 0) }, 400],
    ["a text", { body: "[]", headers: { "content-type": "text/plain" } }, 415],
    [
      "a form",
      { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
    ],
    ["two types", { body: "[]", headers: { "content-type": "application/json, text/plain" } }, 415],
    [
      "another charset",
      { body: "[]", headers: { "content-type": "application/json;charset=utf-16" } },
      415,
    ],
    ["what is no gzip", { body: "[]", headers: { "content-encoding": "gzip" } }, 400],
    ["an unknown coding", { body: "[]", headers: { "content-encoding": "zstd" } }, 415],
    ["two codings", { body: "[]", headers: { "content-encoding": "gzip, gzip" } }, 415],
    ["a key twice", { body: '{"a":1,"a":2}' }, 400],
  ])("%s", async (_what, sent, statusCode) => {
    await expect(read(sent)).rejects.toMatchObject({ statusCode });
  });

  test("a body without a type", async () => {
    const request = new Request("http://h/", { method: "POST", body: "[]" });
    const source = { request, info: {}, get: () => null };
    await expect(readJson(source, LIMIT)).rejects.toMatchObject({ statusCode: 415 });
  });

  test("malformed JSON without quoting it: it may hold a secret", async () => {
    const error = await read({ body: '{"p":"hunter2' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_REQUEST" });
    expect(error).not.toHaveProperty("cause");
    expect(String(error)).not.toContain("hunter2");
  });

  test("a body that breaks off", async () => {
    const body = new ReadableStream({ start: (c) => c.error(new Error("gone")) });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const request = new Request("http://h/", init);
    const get = (name: string): string | null =>
      name === "content-type" ? "application/json" : null;
    await expect(readJson({ request, info: {}, get }, LIMIT)).rejects.toMatchObject({
      statusCode: 400,
    });
  });
});

describe("a packed body", () => {
  const json = JSON.stringify({ text: "x".repeat(90) });

  test("is read unpacked", async () => {
    expect(await read({ body: gzip(json), headers: GZIP }, 200)).toEqual(JSON.parse(json));
    const deflated = new Uint8Array(deflateSync(json));
    const headers = { "content-encoding": "deflate" };
    expect(await read({ body: deflated, headers, chunk: 1 }, 200)).toEqual(JSON.parse(json));
  });

  test("of no bytes at all is no body", async () => {
    expect(await read({ body: "", headers: GZIP })).toBe(undefined);
  });

  test.each<[what: string, sent: Sent, limit: number, statusCode: number]>([
    ["that unpacks to a byte too much", { body: gzip(json) }, json.length - 1, 413],
    ["that is too large as it comes", { body: gzip(json) }, 20, 413],
    ["that is cut off", { body: gzip(json).subarray(0, -1) }, 200, 400],
    ["that holds no JSON", { body: gzip("{") }, 200, 400],
    ["that is packed twice", { body: new Uint8Array(gzipSync(gzip(json))) }, 200, 400],
  ])("%s is refused", async (_what, sent, limit, statusCode) => {
    await expect(read({ ...sent, headers: GZIP }, limit)).rejects.toMatchObject({ statusCode });
  });
});

describe("a host's own reader", () => {
  const from = (result: Uint8Array | "too-large"): Promise<unknown> => {
    const get = (name: string): string | null =>
      name === "content-type" ? "application/json" : null;
    const request = new Request("http://h/", { method: "POST" });
    return readJson({ request, info: { readBody: async () => result }, get }, LIMIT);
  };

  test("is used", async () => {
    expect(await from(new TextEncoder().encode("[7]"))).toEqual([7]);
  });

  test("tells what is too large", async () => {
    await expect(from("too-large")).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  });
});

test("readBytes stops reading at the limit", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(10));
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request("http://h/", { method: "POST", body, duplex: "half" } as RequestInit);
  await expect(readBytes(request, 25)).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  expect(pulled).toBe(3);
});

describe("limitBody", () => {
  test("passes a body within the limit", async () => {
    expect(await limitBody(requestOf({ body: "x".repeat(16) }), LIMIT).text()).toHaveLength(16);
  });

  test("fails a handler that reads past it", async () => {
    const limited = limitBody(requestOf({ body: "x".repeat(40), chunk: 9 }), LIMIT);
    await expect(limited.text()).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  });

  test("refuses by the declared length before a byte is read", () => {
    const request = requestOf({ body: "x", headers: { "content-length": "17" } });
    expect(() => limitBody(request, LIMIT)).toThrow(
      expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    );
  });

  test("leaves a request without a body as it is", () => {
    const request = requestOf({});
    expect(limitBody(request, LIMIT)).toBe(request);
  });

  describe("of a packed body", () => {
    const body = gzip("x".repeat(300));
    const headers = { ...GZIP, "content-length": String(body.length) };

    test("passes what is in it, and tells of no packing", async () => {
      const limited = limitBody(requestOf({ body, headers, chunk: 3 }), 300);
      expect(limited.headers.get("content-encoding")).toBe(null);
      expect(limited.headers.get("content-length")).toBe(null);
      expect(limited.headers.get("content-type")).toBe("application/json");
      expect(await limited.text()).toBe("x".repeat(300));
    });

    test("fails a handler that reads more than the limit", async () => {
      const limited = limitBody(requestOf({ body, headers }), 299);
      await expect(limited.text()).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    });

    test("fails one that reads what is malformed", async () => {
      const limited = limitBody(requestOf({ body: "x", headers: GZIP }), 299);
      await expect(limited.arrayBuffer()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    });

    test("refuses what it cannot unpack before the handler runs", () => {
      const request = requestOf({ body: "x", headers: { "content-encoding": "br" } });
      expect(() => limitBody(request, LIMIT)).toThrow(
        expect.objectContaining({ headers: { "accept-encoding": "gzip, deflate, identity" } }),
      );
    });

    test("takes nothing before the handler reads", async () => {
      let pulled = 0;
      const stream = new ReadableStream<Uint8Array>(
        {
          pull() {
            pulled += 1;
          },
        },
        { highWaterMark: 0 },
      );
      const init = { method: "POST", body: stream, headers: GZIP, duplex: "half" } as RequestInit;
      limitBody(new Request("http://h/", init), LIMIT);
      await new Promise((resolve) => setImmediate(resolve));
      expect(pulled).toBe(0);
    });
  });

  test("lets a form be read through the counted body", async () => {
    const form = new FormData();
    form.set("file", new Blob(["x".repeat(500)]), "a.txt");
    const whole = new Response(form);
    const headers = { "content-type": whole.headers.get("content-type") ?? "" };
    const body = new Uint8Array(await whole.arrayBuffer());
    const sent = (): Request => requestOf({ body, headers });
    expect((await limitBody(sent(), 2_000).formData()).get("file")).toBeInstanceOf(File);
    await expect(limitBody(sent(), 400).formData()).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });
});
