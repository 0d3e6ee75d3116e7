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

const read = async (sent: Sent): Promise<unknown> => {
  const request = requestOf(sent);
  return readJson({ request, info: {}, get: (name) => request.headers.get(name) }, LIMIT);
};

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
});
