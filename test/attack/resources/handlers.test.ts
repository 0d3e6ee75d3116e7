import { afterEach, describe, expect, test } from "vitest";
import { open, start, statusesOf, type TestServer, talk, turn } from "./support.ts";

let server: TestServer;
afterEach(() => server.close());

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`;

describe("a handler that never answers", () => {
  test("is answered for, its signal aborts, and its connection goes on", async () => {
    server = await start({}, { handlerTimeoutMs: 300 });
    const client = open(server.port);
    client.socket.write(get("/hang"));
    while (statusesOf(client.text()).length === 0) await turn(5);
    expect(client.text()).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*retry-after: 5\r\n[\s\S]*"code":"SERVICE_UNAVAILABLE"/,
    );
    expect(server.begun[0]?.reason).toMatchObject({ name: "TimeoutError" });
    expect(server.refused).toEqual(["handler_timeout"]);
    client.socket.write(get("/ok"));
    while (statusesOf(client.text()).length < 2) await turn(5);
    expect(statusesOf(client.text())).toEqual(["503", "200"]);
    client.socket.destroy();
  });

  test("500 times at once holds nobody else up, and every signal aborts", async () => {
    server = await start({ maxConnectionsPerAddress: 1_000 }, { handlerTimeoutMs: 800 });
    const request = `GET /hang HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`;
    const hanging = Array.from({ length: 500 }, () => talk(server.port, request));
    while (server.begun.length < 500) await turn(5);
    const other = `GET /ok HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`;
    expect(statusesOf(await talk(server.port, other))).toEqual(["200"]);
    const texts = await Promise.all(hanging);
    expect(new Set(texts.flatMap(statusesOf))).toEqual(new Set(["503"]));
    expect(server.begun.every(({ aborted }) => aborted)).toBe(true);
  });
});

test("a client that leaves aborts the signal of its handler, and of no other", async () => {
  server = await start({});
  const [leaving, staying] = [open(server.port), open(server.port)];
  leaving.socket.write(get("/wait"));
  while (server.begun.length < 1) await turn(5);
  staying.socket.write(get("/wait"));
  while (server.begun.length < 2) await turn(5);
  const [first, second] = server.begun;
  leaving.socket.destroy();
  while (first?.aborted !== true) await turn(5);
  expect(first.reason).toMatchObject({ message: "the client went away" });
  expect(second?.aborted).toBe(false);
  server.waiting.open();
  while (statusesOf(staying.text()).length === 0) await turn(5);
  // What was answered is not aborted by its connection's end either.
  staying.socket.destroy();
  await staying.closed;
  await turn(50);
  expect(second?.aborted).toBe(false);
});
