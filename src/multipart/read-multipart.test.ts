import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BaseAPIHandler } from "../core/index.ts";
import { type MultipartLimits, readMultipart } from "./index.ts";

const utf8 = new TextEncoder();

interface Sent {
  readonly type?: string | null;
  readonly chunk?: number;
}

function requestOf(body: string | Uint8Array, { type, chunk }: Sent = {}): Request {
  const bytes = typeof body === "string" ? utf8.encode(body) : body;
  const size = chunk ?? Math.max(1, bytes.byteLength);
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
  const headers =
    type === null ? {} : { "content-type": type ?? "multipart/form-data; boundary=b" };
  return new Request("http://h/", {
    method: "POST",
    headers,
    body: stream,
    duplex: "half",
  } as RequestInit);
}

interface Read {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

async function readAll(request: Request, limits?: MultipartLimits): Promise<Read[]> {
  const all: Read[] = [];
  for await (const part of readMultipart(request, limits)) {
    const { name, filename, contentType } = part;
    all.push({ name, filename, type: contentType?.type, text: await part.text() });
  }
  return all;
}

const part = (header: string, content = "x"): string => `--b\r\n${header}\r\n\r\n${content}\r\n`;
const field = (name: string, content: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, content);
const form = (...parts: string[]): string => `${parts.join("")}--b--\r\n`;

const refusal = async (request: Request, limits?: MultipartLimits): Promise<unknown> =>
  readAll(request, limits).then(
    () => "none",
    (error: unknown) => (error as { code: unknown }).code,
  );

describe("readMultipart reads", () => {
  const A_AND_B = form(
    field("a", "1"),
    part(
      'content-disposition: form-data; name=b; filename="\u00e9 \\x.txt"\r\nCONTENT-TYPE: Text/Plain; charset=utf-8',
      "two\r\nlines",
    ),
  );

  test.each([1, 2, 3, 7, 64, 1_000])("in pieces of %i bytes", async (chunk) => {
    expect(await readAll(requestOf(A_AND_B, { chunk }))).toEqual([
      { name: "a", filename: undefined, type: undefined, text: "1" },
      { name: "b", filename: "\u00e9 \\x.txt", type: "text/plain", text: "two\r\nlines" },
    ]);
  });

  test.each<[what: string, body: string, texts: readonly string[]]>([
    ["a form of nothing", "--b--", []],
    ["a form without a last line break", `${field("a", "1")}--b--`, ["1"]],
    ["an empty part", form(field("a", "")), [""]],
    ["a part of a line break", form(field("a", "\r\n")), ["\r\n"]],
    [
      "what is nearly a boundary",
      form(field("a", "\r\n-b\r\n--a\r--b\n--b --b")),
      ["\r\n-b\r\n--a\r--b\n--b --b"],
    ],
    ["the same name twice", form(field("a", "1"), field("a", "2")), ["1", "2"]],
    [
      "fields that mean nothing here",
      form(part('X-A: b\r\nContent-Disposition: form-data; name="a"\r\nX-B:', "1")),
      ["1"],
    ],
    [
      "an encoding that is none",
      form(
        part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: BINARY', "1"),
      ),
      ["1"],
    ],
  ])("%s", async (_what, body, texts) => {
    for (const chunk of [1, 5, 1_000]) {
      const all = await readAll(requestOf(body, { chunk }));
      expect(all.map(({ text }) => text)).toEqual(texts);
    }
  });

  test.each([
    ["name=a", "a", undefined],
    ['name="a b"', "a b", undefined],
    ['name="say %22hi%22"', 'say "hi"', undefined],
    ['name="a%0D%0Ab"', "a%0D%0Ab", undefined],
    ['filename="x"; name="a"', "a", "x"],
    ['name=""', "", undefined],
    ['name="a"; filename=""', "a", ""],
    ['name="a"; filename="..\\..\\etc"', "a", "..\\..\\etc"],
    ['name="a"; filename="x; name=y"', "a", "x; name=y"],
    ['name="__proto__"', "__proto__", undefined],
  ])("%s", async (disposition, name, filename) => {
    const [read] = await readAll(
      requestOf(form(part(`Content-Disposition: form-data; ${disposition}`))),
    );
    expect(read).toMatchObject({ name, filename });
  });

  test("what a FormData is sent as", async () => {
    const data = new FormData();
    data.set('quo"te', "value\nof lines");
    data.append(
      "file",
      new File([new Uint8Array([0, 255, 13, 10])], "\u00e9\u4e2d.bin", { type: "image/png" }),
    );
    const request = new Request("http://h/", { method: "POST", body: data });
    const all: unknown[] = [];
    for await (const { name, filename, contentType, bytes } of readMultipart(request)) {
      all.push([name, filename, contentType?.type, [...(await bytes())].slice(0, 4)]);
    }
    expect(all).toEqual([
      ['quo"te', undefined, undefined, [118, 97, 108, 117]],
      ["file", "\u00e9\u4e2d.bin", "image/png", [0, 255, 13, 10]],
    ]);
  });

  test("any content, however it is cut", async () => {
    const bytes = fc.array(fc.constantFrom(13, 10, 45, 98, 0, 255), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        async (contents, chunk) => {
          const boundary = "b-nowhere-else";
          const pieces = contents.flatMap((content) => [
            utf8.encode(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n`),
            Uint8Array.from(content),
            utf8.encode("\r\n"),
          ]);
          const body = Buffer.concat([...pieces, utf8.encode(`--${boundary}--`)]);
          const type = `multipart/form-data; boundary="${boundary}"`;
          const read: number[][] = [];
          for await (const { bytes: contentOf } of readMultipart(
            requestOf(body, { type, chunk }),
          )) {
            read.push([...(await contentOf())]);
          }
          expect(read).toEqual(contents);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("readMultipart refuses as INVALID_REQUEST", () => {
  const good = 'Content-Disposition: form-data; name="a"';

  test.each<[what: string, body: string]>([
    ["nothing", ""],
    ["a body that is cut off in the first boundary", "--"],
    ["a body that is cut off behind a boundary", "--b"],
    ["a body that is cut off in a header", "--b\r\nContent-Dispo"],
    ["a body that is cut off in a part", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx"],
    ["a body that is cut off before its last dashes", `${field("a", "1")}--b`],
    ["one dash at the end", `${field("a", "1")}--b-`],
    ["a preamble", `preamble\r\n${form(field("a", "1"))}`],
    ["a line break before the first boundary", `\r\n${form(field("a", "1"))}`],
    ["an epilogue", `${form(field("a", "1"))}epilogue`],
    ["a part behind the end", `${form(field("a", "1"))}${form(field("a", "2"))}`],
    ["blanks behind a boundary", `--b \r\n${good}\r\n\r\nx\r\n--b--`],
    ["another boundary that begins alike", form(field("a", "1\r\n--bc\r\n2"))],
    ["line feeds alone", form(field("a", "1")).replaceAll("\r\n", "\n")],
    ["a part without a header", form(part(""))],
    ["a part without a disposition", form(part("Content-Type: text/plain"))],
    ["a disposition of another kind", form(part('Content-Disposition: attachment; name="a"'))],
    ["a disposition that begins alike", form(part('Content-Disposition: form-datax; name="a"'))],
    ["a disposition without a name", form(part('Content-Disposition: form-data; filename="a"'))],
    ["two names", form(part(`${good}; name="b"`))],
    ["two file names", form(part(`${good}; filename="b"; filename="c"`))],
    ["filename*, which others read instead", form(part(`${good}; filename*=UTF-8''x`))],
    ["another parameter", form(part(`${good}; size=1`))],
    [
      "an escaped quote",
      form(part(String.raw`Content-Disposition: form-data; name="a\"; filename=\"b"`)),
    ],
    ["a quote that does not end", form(part('Content-Disposition: form-data; name="a'))],
    ["something behind a quote", form(part(`${good}x`))],
    ["two dispositions", form(part(`${good}\r\n${good}`))],
    ["two types", form(part(`${good}\r\nContent-Type: a/b\r\nContent-Type: a/c`))],
    ["a type that is none", form(part(`${good}\r\nContent-Type: text`))],
    ["a folded line", form(part('Content-Disposition: form-data;\r\n name="a"'))],
    ["a blank before a colon", form(part(`${good}\r\nX : 1`))],
    ["a line without a colon", form(part(`${good}\r\nX`))],
    ["NUL in a name", form(part('Content-Disposition: form-data; name="a\0b"'))],
    ["a lone line feed in a name", form(part('Content-Disposition: form-data; name="a\nb"'))],
    ["base64, which some undo", form(part(`${good}\r\nContent-Transfer-Encoding: base64`, "eA=="))],
  ])("%s", async (_what, body) => {
    for (const chunk of [1, 1_000]) {
      expect(await refusal(requestOf(body, { chunk }))).toBe("INVALID_REQUEST");
    }
  });

  test("a name or a text that is not UTF-8", async () => {
    const wrong = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
    expect(await refusal(requestOf(wrong(form(field("\u00ff", "1")))))).toBe("INVALID_REQUEST");
    expect(await refusal(requestOf(wrong(form(field("a", "\u00ff")))))).toBe("INVALID_REQUEST");
  });
});

describe("Content-Type", () => {
  test.each<[type: string | null]>([
    [null],
    ["multipart/form-data"],
    ["multipart/form-data; boundary="],
    ['multipart/form-data; boundary="b "'],
    ['multipart/form-data; boundary="b\\"c"'],
    ["multipart/form-data; boundary=b; boundary=c"],
    ["multipart/form-data; boundary=b, text/plain"],
    [`multipart/form-data; boundary=${"b".repeat(71)}`],
    ["multipart/mixed; boundary=b"],
    ["application/json; boundary=b"],
  ])("%s is 415", async (type) => {
    expect(await refusal(requestOf(form(), { type }))).toBe("UNSUPPORTED_MEDIA_TYPE");
  });

  test.each(["b".repeat(70), "'()+_,-./:=? b"])("a boundary of %s is taken", async (boundary) => {
    const type = `Multipart/Form-Data; charset=utf-8; boundary="${boundary}"`;
    expect(await readAll(requestOf(`--${boundary}--`, { type }))).toEqual([]);
  });
});

describe("the limits", () => {
  const many = (count: number): string =>
    form(...Array.from({ length: count }, (_, index) => field(`f${index}`, "12345")));
  const header = (size: number): string => {
    const start = 'Content-Disposition: form-data; name="a"\r\nX: ';
    return form(part(start + "x".repeat(size - start.length)));
  };

  test.each<[what: string, limits: MultipartLimits, good: string, bad: string, code: string]>([
    ["parts", {}, many(20), many(21), "PAYLOAD_TOO_LARGE"],
    ["parts, configured", { parts: 1 }, many(1), many(2), "PAYLOAD_TOO_LARGE"],
    ["bytes of a header", {}, header(4_096), header(4_097), "INVALID_REQUEST"],
    [
      "bytes of a header, configured",
      { headerBytes: 60 },
      header(60),
      header(61),
      "INVALID_REQUEST",
    ],
    ["bytes of a part", { partBytes: 5 }, many(3), form(field("a", "123456")), "PAYLOAD_TOO_LARGE"],
  ])("%s", async (_what, limits, good, bad, code) => {
    for (const chunk of [1, 100_000]) {
      expect(await refusal(requestOf(good, { chunk }), limits)).toBe("none");
      expect(await refusal(requestOf(bad, { chunk }), limits)).toBe(code);
    }
  });

  test.each([0, -1, 1.5, Number.NaN])("%d is no limit", async (parts) => {
    await expect(readAll(requestOf(form()), { parts })).rejects.toThrow(RangeError);
  });

  test("a route's own limit of the body stands above them", async () => {
    const policy = { path: "/", requireAuth: false, maxBodyBytes: 150 } as const;
    const route = BaseAPIHandler.POST(
      async ({ request }) => (await readAll(request)).length,
      policy,
    );
    expect((await route(requestOf(many(2)))).status).toBe(200);
    expect((await route(requestOf(many(3)))).status).toBe(413);
    expect((await route(requestOf(many(1), { type: "text/plain" }))).status).toBe(415);
    expect((await route(requestOf(many(1).slice(0, -9)))).status).toBe(400);
  });

  test("a part that is skipped is counted, and the next one is read", async () => {
    const names: string[] = [];
    for await (const { name } of readMultipart(requestOf(many(3), { chunk: 4 }))) names.push(name);
    expect(names).toEqual(["f0", "f1", "f2"]);
    const skipAll = async (): Promise<void> => {
      for await (const _ of readMultipart(requestOf(many(3)), { partBytes: 4 }));
    };
    await expect(skipAll()).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  });

  test("a header that never ends is refused after a few kilobytes", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(
            pulled === 0 ? utf8.encode("--b\r\n") : new Uint8Array(1_000).fill(120),
          );
          pulled += 1;
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    expect(await refusal(new Request("http://h/", init))).toBe("INVALID_REQUEST");
    expect(pulled).toBeLessThan(8);
  });

  test("a reader that leaves lets the body go", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(utf8.encode(many(2))),
      cancel: () => {
        isCancelled = true;
      },
    });
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    for await (const _ of readMultipart(new Request("http://h/", init))) break;
    expect(isCancelled).toBe(true);
  });

  test("a megabyte of what is nearly a boundary takes no longer than it is long", async () => {
    const boundary = "b".repeat(70);
    const type = `multipart/form-data; boundary=${boundary}`;
    const nearly = `\r\n--${boundary.slice(0, -1)}`.repeat(14_000);
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${nearly}\r\n--${boundary}--`;
    const started = performance.now();
    const [read] = await readAll(requestOf(body, { type, chunk: 65_536 }));
    expect(read?.text).toBe(nearly);
    // A search that went back would take minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
