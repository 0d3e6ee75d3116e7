import { createServer, get, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusesOf, talkTo } from "../../../test/support/talk.ts";
import { BaseAPIHandler, createRouter } from "../../core/index.ts";
import { type NodeServer, serve } from "./serve.ts";

let server: NodeServer;
let port: number;
/** What the streams of the routes below saw of their readers. */
const told = { pulls: 0, cancelled: 0 };
let onCancel: () => void = () => {};
let onAsked: () => void = () => {};
let upstreamPort = 0;

const stream = (chunks: number, fail = false): ReadableStream<Uint8Array> => {
  let left = chunks;
  return new ReadableStream(
    {
      pull(controller) {
        told.pulls += 1;
        left -= 1;
        if (left >= 0) controller.enqueue(new Uint8Array(65_536).fill(0x61));
        else if (fail) controller.error(new Error("broken"));
        else controller.close();
      },
      cancel() {
        told.cancelled += 1;
        onCancel();
      },
    },
    { highWaterMark: 0 },
  );
};

const open = { requireAuth: false } as const;
const utf8Length = (text: string): string => String(Buffer.byteLength(text));
const routes = [
  BaseAPIHandler.GET(() => ({ name: "Lamp" }), { path: "/ascii", ...open }),
  BaseAPIHandler.GET(() => ({ name: "caf\u00e9 \u{1f600}" }), { path: "/utf8", ...open }),
  BaseAPIHandler.GET(
    (context) => {
      context.header("set-cookie", "a=1");
      context.header("set-cookie", "b=2");
      return {};
    },
    { path: "/cookies", ...open },
  ),
  BaseAPIHandler.GET(
    (context) => {
      context.header("cache-control", "max-age=60");
      return {};
    },
    { path: "/cached", ...open },
  ),
  BaseAPIHandler.GET(() => new Response(null, { headers: { "x-a": "\u0001" } }), {
    path: "/unwritable",
    ...open,
  }),
  BaseAPIHandler.GET(() => new Response(null, { status: 204 }), { path: "/204", ...open }),
  BaseAPIHandler.GET(() => new Response(null, { status: 304, headers: { etag: '"1"' } }), {
    path: "/304",
    ...open,
  }),
  BaseAPIHandler.GET(() => new Response(null), { path: "/empty", ...open }),
  BaseAPIHandler.GET(() => new Response("caf\u00e9"), { path: "/own", ...open }),
  BaseAPIHandler.GET(() => new Response(stream(3)), { path: "/stream", ...open }),
  BaseAPIHandler.GET(() => new Response(stream(1_000_000)), { path: "/endless", ...open }),
  BaseAPIHandler.GET(() => fetch(`http://127.0.0.1:${upstreamPort}/`), {
    path: "/fetched",
    ...open,
  }),
  BaseAPIHandler.GET(
    async ({ signal }) => {
      onAsked();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return new Response(stream(1_000_000));
    },
    { path: "/after", ...open },
  ),
  BaseAPIHandler.GET(() => new Response(stream(2, true)), { path: "/broken", ...open }),
  BaseAPIHandler.GET(() => new Response("abc", { headers: { "content-length": "2" } }), {
    path: "/longer",
    ...open,
  }),
  BaseAPIHandler.GET(() => new Response("abc", { headers: { "content-length": "9" } }), {
    path: "/shorter",
    ...open,
  }),
  BaseAPIHandler.GET(() => new Response("abc", { headers: { "content-length": "x" } }), {
    path: "/lettered",
    ...open,
  }),
  BaseAPIHandler.GET(() => new Response("abc", { headers: { "content-length": "3" } }), {
    path: "/exact",
    ...open,
  }),
  BaseAPIHandler.GET(
    () => new Response("abc", { headers: { connection: "close", "transfer-encoding": "gzip" } }),
    { path: "/framed", ...open },
  ),
  BaseAPIHandler.GET(
    (context) => {
      context.header("content-length", "1");
      return {};
    },
    { path: "/length", ...open },
  ),
];

beforeAll(async () => {
  server = await serve({
    handlers: BaseAPIHandler,
    router: createRouter(BaseAPIHandler, routes),
    port: 0,
  });
  ({ port } = server);
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly fields: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const call = (method: string, path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method, path, agent: false };
    const sent = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { statusCode = 0, rawHeaders, headers } = incoming;
        const fields = rawHeaders.filter((_, index) => index % 2 === 0);
        resolve({ status: statusCode, fields, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.on("error", reject);
    sent.end();
  });

describe("an answer as it is written", () => {
  test.each(["/ascii", "/utf8"])("%s has the length of its bytes", async (path) => {
    const { status, headers, body } = await call("GET", path);
    expect(status).toBe(200);
    expect(headers["content-length"]).toBe(utf8Length(body));
    expect(JSON.parse(body)).toMatchObject({ success: true });
    expect(body).toContain(path === "/ascii" ? "Lamp" : "caf\u00e9 \u{1f600}");
  });

  test.each(["/ascii", "/utf8", "/own"])("HEAD %s is its GET without the body", async (path) => {
    const [asked, head] = [await call("GET", path), await call("HEAD", path)];
    expect(head.status).toBe(200);
    expect(head.body).toBe("");
    // An answer of a handler's own has a length only where the handler says one.
    if (path !== "/own")
      expect(head.headers["content-length"]).toBe(asked.headers["content-length"]);
    expect(head.headers["content-type"]).toBe(asked.headers["content-type"]);
    expect(head.headers["x-content-type-options"]).toBe("nosniff");
    expect(head.headers["transfer-encoding"]).toBeUndefined();
  });

  const BODILESS = [
    ["/204", 204, undefined],
    ["/304", 304, undefined],
    ["/empty", 200, "0"],
  ] as const;
  test.each(BODILESS)("%s has no body", async (path, status, length) => {
    const answer = await call("GET", path);
    expect(answer).toMatchObject({ status, body: "" });
    expect(answer.headers["content-length"]).toBe(length);
    expect(answer.headers["transfer-encoding"]).toBeUndefined();
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("cookies stand one by one", async () => {
    expect((await call("GET", "/cookies")).headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });

  test("no field stands twice, and a handler's own replaces the standing one", async () => {
    for (const path of ["/ascii", "/cached", "/own", "/stream", "/nothing"]) {
      const { fields, headers } = await call("GET", path);
      const names = fields.map((name) => name.toLowerCase());
      expect(new Set(names).size, path).toBe(names.length);
      expect(headers["cache-control"]).toBe(path === "/cached" ? "max-age=60" : "no-store");
    }
  });

  test("what node:http would not write is a fault, by its own name", async () => {
    const text = await talk("GET /unwritable HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
  });

  test("an expectation that nobody knows is passed over", async () => {
    const text = await talk(
      "GET /ascii HTTP/1.1\r\nhost: h\r\nexpect: more\r\nconnection: close\r\n\r\n",
    );
    expect(statusesOf(text)).toEqual(["200"]);
    expect(text).toContain("x-content-type-options: nosniff");
  });

  test("a handler cannot write the framing", async () => {
    expect((await call("GET", "/length")).status).toBe(500);
    const { headers, body } = await call("GET", "/framed");
    expect(headers["transfer-encoding"]).toBe("chunked");
    expect(body).toBe("abc");
  });
});

describe("a stream", () => {
  test("comes whole", async () => {
    expect((await call("GET", "/stream")).body).toBe("a".repeat(3 * 65_536));
    expect(await call("GET", "/exact")).toMatchObject({
      headers: { "content-length": "3" },
      body: "abc",
    });
  });

  test("that breaks, or is longer than it says, cuts the connection", async () => {
    await expect(call("GET", "/broken")).rejects.toThrow();
    for (const path of ["/longer", "/shorter", "/lettered"]) {
      const answer = await talk(`GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`);
      expect(answer, path).not.toContain("\r\n\r\nabc\r\n");
    }
  });

  test("is made no faster than it is read, and is cancelled as its reader goes away", async () => {
    told.pulls = 0;
    told.cancelled = 0;
    const cancelled = new Promise<void>((resolve) => {
      onCancel = resolve;
    });
    const sent = get({ host: "127.0.0.1", port, path: "/endless", agent: false });
    sent.on("error", () => {});
    await new Promise<void>((resolve) =>
      sent.on("response", (incoming) => {
        incoming.pause();
        incoming.on("error", () => {});
        resolve();
      }),
    );
    // What the kernel's buffers hold is a few megabytes; then nothing more is asked for.
    let before = -1;
    while (before !== told.pulls) {
      before = told.pulls;
      for (let turn = 0; turn < 50; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told.pulls).toBeLessThan(1_000);
    sent.destroy();
    await cancelled;
    expect(told.cancelled).toBe(1);
  });

  test("is cancelled where its reader had gone before it began", async () => {
    const cancelled = new Promise<void>((resolve) => {
      onCancel = resolve;
    });
    const begun = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const sent = get({ host: "127.0.0.1", port, path: "/after", agent: false });
    sent.on("error", () => {});
    await begun;
    sent.destroy();
    await cancelled;
  });
});

const talk = (bytes: string, on?: (socket: Socket) => void): Promise<string> =>
  talkTo(port, bytes, on);

test("what fetch answered goes on as it was unpacked", async () => {
  const text = "caf\u00e9 ".repeat(100);
  const upstream = createServer((_, outgoing) => {
    const packed = gzipSync(text);
    const headers = { "content-encoding": "gzip", "content-length": packed.length, etag: '"1"' };
    outgoing.writeHead(200, headers).end(packed);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  upstreamPort = (upstream.address() as AddressInfo).port;
  const { status, body, headers } = await call("GET", "/fetched");
  expect({ status, body }).toEqual({ status: 200, body: text });
  expect(headers["content-encoding"]).toBeUndefined();
  expect(headers["etag"]).toBe('"1"');
  upstream.closeAllConnections();
  upstream.close();
});
