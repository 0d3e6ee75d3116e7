import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { NodeRequest } from "./node-request.ts";
import { StallWatch } from "./stall-watch.ts";

const URL_OF_ALL = "http://h.example/a?b=c";

interface Sent {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

/** Sends a message to a server of its own, and returns what `look` saw of its stand-in. */
async function seen<T>(
  { method, headers, body }: Sent,
  look: (standIn: Request, outgoing: ServerResponse, incoming: IncomingMessage) => Promise<T>,
): Promise<T> {
  const looked = deferred<T>();
  const server = createServer({ joinDuplicateHeaders: true }, (incoming, outgoing) => {
    const bodies = new StallWatch(10_000);
    const made = new NodeRequest(incoming, outgoing, URL_OF_ALL, bodies);
    made.limit = 1_000_000;
    const standIn = made as unknown as Request;
    look(standIn, outgoing, incoming).then(looked.resolve, looked.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: "127.0.0.1", method, headers: { ...headers } });
  client.on("error", () => {});
  client.end(body);
  try {
    return await looked.promise;
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

function deferred<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
} {
  let settle: Pick<ReturnType<typeof deferred<T>>, "resolve" | "reject"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as NonNullable<typeof settle>) };
}

const facts = async (request: Request): Promise<unknown> => {
  const { method, url, headers, body, bodyUsed, mode, credentials, cache, redirect } = request;
  const { referrer, integrity, keepalive } = request;
  const kept = [...headers].filter(([name]) => name !== "connection" && name !== "host");
  const standing = {
    method,
    url,
    mode,
    credentials,
    cache,
    redirect,
    referrer,
    integrity,
    keepalive,
  };
  return {
    ...standing,
    isRequest: request instanceof Request,
    headers: kept.filter(([name]) => !FRAMING.includes(name)),
    isNull: body === null,
    bodyUsed,
    aborted: request.signal.aborted,
    text: await request.clone().text(),
    bytes: [...new Uint8Array(await request.arrayBuffer())],
    usedAfter: request.bodyUsed,
    second: await request.text().then(
      () => "read",
      (error: unknown) => (error as Error).name,
    ),
  };
};
const FRAMING = ["content-length", "transfer-encoding"];

const SHAPES: readonly (readonly [name: string, sent: Sent])[] = [
  ["GET", { method: "GET", headers: { accept: "*/*", "x-a": ["1", "2"] } }],
  ["HEAD", { method: "HEAD" }],
  ["DELETE without a body", { method: "DELETE" }],
  ["POST", { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' }],
  [
    "POST, not ASCII",
    { method: "POST", headers: { "content-type": "text/plain" }, body: "caf\u00e9" },
  ],
  ["PUT in chunks", { method: "PUT", headers: { "transfer-encoding": "chunked" }, body: "abc" }],
  ["PATCH of many bytes", { method: "PATCH", body: "x".repeat(300_000) }],
  ["cookies", { method: "GET", headers: { cookie: "a=1; b=2" } }],
];

describe("a stand-in says what the Request says", () => {
  test.each(SHAPES)("%s", async (_name, sent) => {
    const { method, headers, body } = sent;
    const list = new Headers();
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (!FRAMING.includes(name)) for (const each of [value].flat()) list.append(name, each);
    }
    // A text brings a Content-Type, which bytes do not.
    const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
    const init = { method, headers: list, ...(bytes === undefined ? {} : { body: bytes }) };
    const real = await facts(new Request(URL_OF_ALL, init));
    expect(await seen(sent, facts)).toEqual(real);
  });

  test("it has every member of a Request, and makes it once", async () => {
    for (const name of Object.getOwnPropertyNames(Request.prototype)) {
      expect(name in NodeRequest.prototype, name).toBe(true);
    }
    await seen({ method: "POST", body: "[1]" }, async (request) => {
      expect(request.signal).toBe(request.signal);
      expect(request.headers).toBe(request.headers);
      expect(await request.json()).toEqual([1]);
    });
  });

  test("the real one can be made into another, and the stand-in cannot", async () => {
    await seen({ method: "POST", body: "ab" }, async (request) => {
      expect(() => new Request(request)).toThrow(TypeError);
      const real = (request as unknown as NodeRequest).real();
      expect(await new Request(real, { headers: { "x-a": "1" } }).text()).toBe("ab");
    });
  });

  test("a method that no Request can have throws as it is made, and not before", async () => {
    await seen({ method: "TRACE" }, async (request) => {
      await Promise.resolve();
      expect([request.method, request.url]).toEqual(["TRACE", URL_OF_ALL]);
      expect(() => request.headers).toThrow(TypeError);
    });
  });
});

describe("the signal", () => {
  test("aborts when the client goes away", async () => {
    await seen({ method: "GET" }, async ({ signal }, _outgoing, { socket }) => {
      expect(signal.aborted).toBe(false);
      const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
      socket.destroy();
      await aborted;
      expect((signal.reason as Error).message).toBe("the client went away");
    });
  });

  test("is aborted where the client had gone already", async () => {
    await seen({ method: "GET" }, async (request, outgoing, { socket }) => {
      const closed = new Promise((resolve) => outgoing.once("close", resolve));
      socket.destroy();
      await closed;
      expect(request.signal.aborted).toBe(true);
    });
  });

  test("does not abort once the answer is written", async () => {
    await seen({ method: "GET" }, async ({ signal }, outgoing) => {
      const closed = new Promise((resolve) => outgoing.once("close", resolve));
      outgoing.end("done");
      await closed;
      expect(signal.aborted).toBe(false);
    });
  });
});

test("a body is taken from the wire as it is read, and its cancelling leaves the connection", async () => {
  const sent = { method: "POST", body: "x".repeat(2_000_000) };
  await seen(sent, async (request, _outgoing, incoming) => {
    const reader = (request.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(value?.byteLength).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(incoming.readableFlowing).not.toBe(true);
    expect(incoming.readableEnded).toBe(false);
    await reader.cancel();
    expect(incoming.destroyed).toBe(false);
  });
});

test("a body that is cut off fails whoever reads it", async () => {
  await seen(
    { method: "POST", body: "x".repeat(2_000_000) },
    async (request, _outgoing, incoming) => {
      const read = request.text();
      incoming.socket.destroy();
      await expect(read).rejects.toThrow();
    },
  );
});
