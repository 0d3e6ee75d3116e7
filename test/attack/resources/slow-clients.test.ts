import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ask,
  type Client,
  drip,
  open,
  start,
  statusesOf,
  type TestServer,
  turn,
} from "./support.ts";

const SLOW = 200;
/** They would go on for ever: what is short of that leaves room for a busy machine. */
const CUT_MS = 12_000;
let server: TestServer;
beforeAll(async () => {
  server = await start({
    headersTimeout: "600ms",
    bodyTimeout: "600ms",
    requestTimeout: "1500ms",
    writeTimeout: "900ms",
    // Less than two attacks at once: whoever is cut must be gone for good, though the client's end is open.
    maxConnectionsPerAddress: 2 * SLOW,
  });
});
afterAll(() => server.close());

/** Many of one kind, and how long they held out. */
async function attack(
  begin: (client: Client) => void,
): Promise<{ readonly texts: readonly string[]; readonly elapsedMs: number }> {
  const started = performance.now();
  const clients = Array.from({ length: SLOW }, () => {
    const client = open(server.port);
    begin(client);
    return client;
  });
  // Everybody else is served meanwhile.
  for (let round = 0; round < 5; round += 1) {
    expect(await ask(server.port)).toBe(200);
    await turn(50);
  }
  const texts = await Promise.all(clients.map(({ closed }) => closed));
  return { texts, elapsedMs: performance.now() - started };
}

const HEAD = "GET /ok HTTP/1.1\r\nhost: h\r\n";
const post = (path: string, more: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n${more}\r\n`;
const LENGTH = "content-length: 100000\r\n";

describe("200 connections of a client", () => {
  const cases: readonly (readonly [what: string, begin: (client: Client) => void])[] = [
    ["that says nothing", () => {}],
    ["that sends its headers a byte at a time", (c) => drip(c, `${HEAD}x-a: bbbbbbb`, 20)],
    ["that sends one header after the other", (c) => drip(c, HEAD + "a: b\r\n".repeat(99), 20)],
    [
      "that leaves out the end of its headers",
      ({ socket }) => void socket.write(`${HEAD}x-a: b\r\n`),
    ],
    ["whose body stops", ({ socket }) => void socket.write(`${post("/json", LENGTH)}{"a":`)],
    [
      "whose body stops, read by the handler itself",
      ({ socket }) => void socket.write(`${post("/text", LENGTH)}abc`),
    ],
    [
      "whose chunk stops",
      ({ socket }) =>
        void socket.write(`${post("/json", "transfer-encoding: chunked\r\n")}ff\r\n{`),
    ],
    [
      "that sends its body a byte at a time, and never too slowly",
      (client) => {
        client.socket.write(post("/json", LENGTH));
        drip(client, "[1,1,1,1,1,1", 100);
      },
    ],
    [
      "that sends a body which nobody reads a byte at a time",
      (client) => {
        client.socket.write(post("/nothing", LENGTH));
        drip(client, "xxxx", 100);
      },
    ],
  ];
  test.each(cases)("%s are cut in time, and others served", async (what, begin) => {
    const { texts, elapsedMs } = await attack(begin);
    expect(elapsedMs).toBeLessThan(CUT_MS);
    const expected = what.includes("nobody reads") ? "404" : "408";
    for (const text of texts) {
      // A reset may overtake the answer of whoever goes on sending; nobody gets another one.
      if (text !== "" || !/at a time|one header/.test(what)) {
        expect(statusesOf(text)).toEqual([expected]);
        if (expected === "408") expect(text).toMatch(/\r\nconnection: close\r\n/i);
      }
    }
    if (expected === "408") {
      const [told = ""] = texts.filter((text) => text !== "");
      expect(told).toContain('"code":"REQUEST_TIMEOUT"');
      expect(told).toContain("x-content-type-options: nosniff");
      expect(told).toMatch(/x-request-id: [0-9a-f-]{36}/);
    }
  });

  test("that takes nothing of its answer are cut", async () => {
    const clients = Array.from({ length: 20 }, () => open(server.port));
    for (const { socket } of clients) {
      socket.pause();
      socket.write("GET /endless HTTP/1.1\r\nhost: h\r\n\r\n");
    }
    await server.refusedTimes("slow_reader", clients.length);
    expect(await ask(server.port)).toBe(200);
    for (const { socket } of clients) socket.destroy();
  });
});

test("a client that reads, be it slowly, is not cut", async () => {
  const before = server.refused.filter((reason) => reason === "slow_reader").length;
  const { socket } = open(server.port);
  socket.write("GET /endless HTTP/1.1\r\nhost: h\r\n\r\n");
  let pauses = 0;
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    size += chunk.length;
    socket.pause();
    pauses += 1;
    setTimeout(() => socket.resume(), 20);
  });
  await turn(2_500);
  expect(socket.destroyed).toBe(false);
  expect(pauses).toBeGreaterThan(20);
  expect(size).toBeGreaterThan(1_000_000);
  expect(server.refused.filter((reason) => reason === "slow_reader").length).toBe(before);
  socket.destroy();
});

test("each of them was counted by its reason", () => {
  const count = (reason: string): number => server.refused.filter((one) => one === reason).length;
  expect(count("slow_request")).toBeGreaterThanOrEqual(5 * SLOW);
  expect(count("slow_body")).toBeGreaterThanOrEqual(3 * SLOW);
});
