import { afterEach, describe, expect, test } from "vitest";
import { open, start, statusesOf, type TestServer, turn } from "./support.ts";

let server: TestServer;
afterEach(() => server.close());

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`;
const post = "POST /text HTTP/1.1\r\nhost: h\r\n";

test("a connection has so many requests, the last of which is told that it is", async () => {
  server = await start({ maxRequestsPerConnection: 10 });
  const client = open(server.port);
  client.socket.write(get("/ok").repeat(30));
  const text = await client.closed;
  const answers = text.split("HTTP/1.1 ").slice(1);
  expect(answers.slice(0, 9).every((answer) => answer.startsWith("200 "))).toBe(true);
  expect(answers[8]).toMatch(/connection: keep-alive/i);
  expect(answers[9]).toMatch(/^200 [\s\S]*connection: close/i);
  // What was sent behind it is not answered at all, and so may be sent anew.
  expect(answers.length).toBe(10);
});

test("a connection without a request is closed in time, one in use is not", async () => {
  server = await start({ keepAliveTimeout: "400ms" });
  const [idle, used] = [open(server.port), open(server.port)];
  const started = performance.now();
  idle.socket.write(get("/ok"));
  const using = setInterval(() => used.socket.write(get("/ok")), 100);
  await idle.closed;
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(used.socket.destroyed).toBe(false);
  clearInterval(using);
  used.socket.destroy();
});

describe("a client that sends request after request and reads nothing", () => {
  test("has so many in flight as it may, and is cut at the next", async () => {
    server = await start({ maxRequestsInFlight: 20 });
    const client = open(server.port);
    client.socket.write(get("/wait").repeat(1_000));
    expect(await client.closed).toBe("");
    expect(server.refused).toEqual(["pipelining"]);
    expect(server.begun.length).toBe(20);
    // Nobody waits for them any more.
    while (!server.begun.every((signal) => signal.aborted)) await turn(5);
  });

  test("leaves no stream behind that waited for its turn", async () => {
    server = await start({});
    const client = open(server.port);
    client.socket.write(get("/hang") + get("/endless"));
    while (server.begun.length === 0) await turn(5);
    client.socket.destroy();
    await server.cancelled.opened;
  });

  test("is served where it stays within them", async () => {
    server = await start({ maxRequestsInFlight: 20 });
    const client = open(server.port);
    client.socket.write(get("/wait").repeat(20));
    while (server.begun.length < 20) await turn(5);
    server.waiting.open();
    while (statusesOf(client.text()).length < 20) await turn(5);
    client.socket.write(get("/ok").repeat(20));
    while (statusesOf(client.text()).length < 40) await turn(5);
    expect(new Set(statusesOf(client.text()))).toEqual(new Set(["200"]));
    client.socket.destroy();
  });

  test("is cut once its answers pile up", async () => {
    server = await start({});
    const clients = Array.from({ length: 50 }, () => open(server.port));
    for (const { socket } of clients) {
      socket.pause();
      const more = (): void => {
        if (!socket.destroyed)
          socket.write(get("/kilobyte").repeat(1_000), () => setImmediate(more));
      };
      more();
    }
    await server.refusedTimes("pipelining", clients.length);
    for (const { socket } of clients) socket.destroy();
  });
});

describe("what came whole is answered, whatever is broken behind it", () => {
  const BROKEN = [
    ["no HTTP", "GARBAGE\r\n\r\n", "400"],
    ["HTTP/0.9", "GET /ok\r\n\r\n", "400"],
    ["headers that are too large", get(`/ok?${"x".repeat(20_000)}`), "431"],
    ["a chunk that is none", `${post}transfer-encoding: chunked\r\n\r\nzz\r\n`, "400"],
    ["half a head, and no more", "GET /ok HTTP/1.1\r\nhos", "408"],
  ] as const;
  test.each(BROKEN)("%s", async (_, broken, status) => {
    server = await start({ headersTimeout: "400ms" });
    const quick = open(server.port);
    quick.socket.write(get("/ok").repeat(2) + broken);
    expect(statusesOf(await quick.closed)).toEqual(["200", "200", status]);
    const slow = open(server.port);
    slow.socket.write(get("/wait") + get("/ok") + broken);
    while (server.begun.length === 0) await turn(5);
    // The parser fails at each piece anew.
    for (let pieces = 0; pieces < 20 && status !== "408"; pieces += 1) {
      slow.socket.write("more");
      await turn(2);
    }
    await turn(status === "408" ? 900 : 0);
    expect(slow.text()).toBe("");
    server.waiting.open();
    expect(statusesOf(await slow.closed)).toEqual(["200", "200", status]);
  });

  test("and nothing is said behind an answer that is the last", async () => {
    server = await start({});
    const { socket, closed } = open(server.port);
    socket.write(`GET /ok HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\nGARBAGE\r\n\r\n`);
    expect(statusesOf(await closed)).toEqual(["200"]);
  });
});

test("a flood of connections that come, ask and go leaves nothing behind", async () => {
  server = await start({ maxConnectionsPerAddress: 100 });
  for (let round = 0; round < 20; round += 1) {
    const clients = Array.from({ length: 80 }, () => open(server.port));
    for (const [index, { socket }] of clients.entries()) {
      if (index % 2 === 0) socket.write(get("/ok"));
      // A reset as soon as it stands, with a request half said.
      else socket.write("GET /ok HTT", () => socket.resetAndDestroy());
    }
    for (const [index, client] of clients.entries()) {
      while (index % 2 === 0 && statusesOf(client.text()).length === 0) await turn(1);
    }
    for (const { socket } of clients) socket.destroy();
    await Promise.all(clients.map(({ closed }) => closed));
  }
  expect(server.refused).toEqual([]);
});
