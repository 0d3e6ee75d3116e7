import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { statusesOf, talkTo } from "../../../test/support/talk.ts";
import { type AuthResult, BaseAPIHandler, createRouter } from "../../core/index.ts";
import { type NodeServer, serve } from "./serve.ts";

let server: NodeServer;
let port: number;

const open = { requireAuth: false } as const;
const any = {
  "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
} as const;
let signed = "";
let onBackground: (read: Promise<string>) => void = () => {};

/** Handlers whose client signs the body, which is read before anybody may send one. */
class Signed extends BaseAPIHandler {
  static override async checkAuth(asked: Request): Promise<AuthResult> {
    signed = await asked.clone().text();
    const principal = { kind: "user", userId: "u", sessionId: "s", via: "bearer" } as const;
    return { isAuthenticated: true, principal: { ...principal, methods: [], roles: [] } };
  }
}

const routes = [
  BaseAPIHandler.GET(() => ({ name: "Lamp" }), { path: "/ascii", ...open }),
  BaseAPIHandler.POST(() => ({ read: false }), { path: "/unread", maxBodyBytes: 1e9, ...open }),
  BaseAPIHandler.POST(
    async () => {
      // Long enough for its body to have filled the stream's buffer before the answer is sent.
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
      return { read: false };
    },
    { path: "/late", maxBodyBytes: 1e9, ...open },
  ),
  BaseAPIHandler.POST(async ({ request: asked }) => ({ text: await asked.text() }), {
    path: "/echo",
    ...open,
  }),
  Signed.POST(({ body }) => ({ body, signed }), {
    path: "/signed",
    requireAuth: true,
    body: any,
    maxBodyBytes: 100,
  }),
  BaseAPIHandler.POST(
    async ({ body, request: asked }) => {
      const { bodyUsed } = asked;
      return { body, bodyUsed, again: await asked.text().catch(({ name }: Error) => name) };
    },
    { path: "/twice", body: any, ...open },
  ),
  BaseAPIHandler.POST(
    ({ request: asked }) => {
      onBackground(asked.text());
      return {};
    },
    { path: "/background", ...open },
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

const talk = (bytes: string, on?: (socket: Socket) => void): Promise<string> =>
  talkTo(port, bytes, on);

/** Posts JSON on a connection of its own, and returns the status and the body of the answer. */
const post = async (path: string, body: string): Promise<{ status: number; body: string }> => {
  const length = Buffer.byteLength(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const text = await talk(head + body);
  return { status: Number(statusesOf(text)[0]), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
};

describe("a body that is read before its turn", () => {
  const long = JSON.stringify("x".repeat(200));
  const head = "POST /signed HTTP/1.1\r\nhost: h\r\nconnection: close\r\n";

  test.each([
    ["declared", `content-length: ${long.length}\r\n\r\n${long}`],
    [
      "in chunks",
      `transfer-encoding: chunked\r\n\r\n${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`,
    ],
  ])("is bounded as in its turn, %s", async (_, rest) => {
    signed = "";
    expect(statusesOf(await talk(`${head}content-type: application/json\r\n${rest}`))).toEqual([
      "413",
    ]);
    expect(signed).toBe("");
  });
});

describe("a client that waits to be asked for its body", () => {
  const head = (path: string, length: number): string =>
    `POST ${path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;

  test.each(["/echo", "/twice", "/signed"])("is asked for it once by %s", async (path) => {
    const text = await talk(head(path, 7), (socket) => {
      socket.once("data", () =>
        socket.write('{"a":1}GET /ascii HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n'),
      );
    });
    expect(statusesOf(text)).toEqual(["100", "200", "200"]);
  });

  test.each([
    ["/nothing", 7, "404"],
    ["/ascii", 7, "405"],
    ["/twice", 99_999_999, "413"],
    ["/echo", 99_999_999, "413"],
    ["/unread", 7, "200"],
  ])(
    "is not by %s of %d bytes: %s, and nothing is read behind it",
    async (path, length, status) => {
      const text = await talk(head(path, length), (socket) => {
        socket.once("data", () => socket.write("GET /ascii HTTP/1.1\r\nhost: h\r\n\r\n"));
      });
      expect(statusesOf(text)).toEqual([status]);
      expect(text).toMatch(/\r\nconnection: close\r\n/i);
    },
  );
});

test("HTTP/1.0 is not told what it does not know", async () => {
  const fields = "host: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n";
  expect(statusesOf(await talk(`POST /echo HTTP/1.0\r\n${fields}\r\nabc`))).toEqual(["200"]);
});

describe("a body that nobody reads", () => {
  const last = "GET /ascii HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
  const LEFT: readonly (readonly [line: string, status: string])[] = [
    ["POST /unread HTTP/1.1", "200"],
    ["POST /late HTTP/1.1", "200"],
    ["POST /nothing HTTP/1.1", "404"],
    ["GET /ascii HTTP/1.1", "200"],
    ["POST /ascii HTTP/1.1", "405"],
  ];
  test.each(LEFT)("of %s is dropped, and its connection goes on", async (line, status) => {
    const body = "x".repeat(500_000);
    const head = `${line}\r\nhost: h\r\ncontent-length: ${body.length}\r\n\r\n`;
    expect(statusesOf(await talk(head + body + last))).toEqual([status, "200"]);
    const chunks = `${line}\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`;
    expect(statusesOf(await talk(chunks + last))).toEqual([status, "200"]);
  });

  test.each(LEFT)("of %s that never ends is cut by its bytes", async (line, status) => {
    let sent = 0;
    const head = `${line}\r\nhost: h\r\ncontent-length: 900000000\r\n\r\n`;
    const answer = await talk(head, (socket) => {
      const chunk = Buffer.alloc(1_048_576);
      // Counts what was written: a closed socket calls back as well, with an error.
      const more = (): void => {
        if (sent > 200_000_000) return;
        socket.write(chunk, (error) => {
          if (error) return;
          sent += chunk.length;
          more();
        });
      };
      more();
    });
    expect(statusesOf(answer)).toEqual([line.startsWith("GET") ? "413" : status]);
    expect(sent).toBeLessThan(64_000_000);
  });

  test.each(["/unread", "/nothing"])(
    "of POST %s costs no answer where the connection ends with it",
    async (path) => {
      const body = "x".repeat(8_000_000);
      const text = await talk("", (socket) => {
        socket.pause();
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
        );
        // Whoever sends all before it reads learns nothing where its connection is reset meanwhile.
        socket.write(body, () => socket.resume());
      });
      expect(statusesOf(text)).toEqual([path === "/unread" ? "200" : "404"]);
    },
  );

  test("that never comes is cut in time", async () => {
    const started = performance.now();
    const head = "POST /unread HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc";
    expect(statusesOf(await talk(head))).toEqual(["200"]);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

test("a body is read through the real Request, and counted", async () => {
  expect((await post("/echo", "caf\u00e9")).body).toContain('"text":"caf\u00e9"');
  expect((await post("/echo", "x".repeat(1_048_577))).status).toBe(413);
});

test("a body that an authenticator read a copy of is validated all the same", async () => {
  const { status, body } = await post("/signed", '{"a":1}');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ data: { body: { a: 1 }, signed: '{"a":1}' } });
  const long = `"${"x".repeat(1_048_576)}"`;
  expect((await post("/signed", long)).status).toBe(413);
});

test("a body that was validated is used up", async () => {
  const { body } = await post("/twice", '{"a":1}');
  const data = { body: { a: 1 }, bodyUsed: true, again: "TypeError" };
  expect(JSON.parse(body)).toMatchObject({ data });
});

test("who reads on after the answer does not take a part of the body for all of it", async () => {
  const read = new Promise<unknown>((resolve) => {
    onBackground = (text) => text.then(resolve, resolve);
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("POST /background HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabcde");
  await new Promise((resolve) => socket.once("data", resolve));
  socket.write("fghij");
  expect(await read).toBeInstanceOf(Error);
  socket.destroy();
});
