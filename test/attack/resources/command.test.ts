import { afterAll, beforeAll, expect, test } from "vitest";
import { type StartedProcess, startProcess } from "../../support/process.ts";
import { type Client, open, statusesOf, talk, turn } from "./support.ts";

let server: StartedProcess;
beforeAll(async () => {
  server = await startProcess({
    env: {
      BULWARK_MAX_HEADERS: "10",
      BULWARK_MAX_CONNECTIONS_PER_ADDRESS: "20",
      BULWARK_MAX_CONNECTIONS: "30",
      BULWARK_DENIED_ADDRESSES: "127.0.0.66",
      BULWARK_DRAIN_DELAY: "2s",
      BULWARK_DRAIN_TIMEOUT: "5s",
    },
  });
}, 120_000);
afterAll(() => server.stop("SIGKILL"));

/** Sends one request and returns all that came of it. */
function send(path: string, from?: string, fields = ""): Promise<string> {
  const host = `host: localhost:${server.port}\r\nconnection: close\r\n`;
  return talk(server.port, `GET ${path} HTTP/1.1\r\n${host}${fields}\r\n`, from);
}

const statusOf = async (...asked: Parameters<typeof send>): Promise<string | undefined> =>
  statusesOf(await send(...asked))[0];

test("variables limit the headers of a request", async () => {
  expect(await statusOf("/health/live", undefined, "a: b\r\n".repeat(8))).toBe("200");
  const answer = await send("/health/live", undefined, "a: b\r\n".repeat(9));
  expect(answer).toContain("HTTP/1.1 431 ");
  expect(answer).toContain('"code":"HEADERS_TOO_LARGE"');
});

test("variables deny a peer, which is not heard", async () => {
  expect(await statusOf("/health/live", "127.0.0.66")).toBeUndefined();
  expect(await statusOf("/health/live", "127.0.0.67")).toBe("200");
});

test("variables cap connections, from one address and in all", async () => {
  const held: Client[] = [];
  const hold = async (count: number, from: string): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const client = open(server.port, from);
      held.push(client);
      // Heard, and not only accepted by the kernel.
      client.socket.write(`GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n`);
      while (statusesOf(client.text()).length === 0) await turn(5);
    }
  };
  await hold(20, "127.0.0.2");
  expect(await statusOf("/health/live", "127.0.0.2")).toBeUndefined();
  await hold(10, "127.0.0.3");
  expect(await statusOf("/health/live", "127.0.0.4")).toBeUndefined();
  for (const { socket } of held) socket.destroy();
  let status: string | undefined;
  while (status === undefined) status = await statusOf("/health/live", "127.0.0.4");
  expect(status).toBe("200");
});

test("SIGTERM turns readiness to 503, ends connections by their answers, then the process", async () => {
  expect(await statusOf("/health/ready")).toBe("200");
  server.signal("SIGTERM");
  await server.until(/SIGTERM: closing/);
  const ready = await send("/health/ready");
  expect(ready).toContain("HTTP/1.1 503 ");
  expect(ready).toMatch(/\r\nretry-after: \d+\r\n/i);
  const kept = open(server.port);
  kept.socket.write(`GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n`);
  expect(await kept.closed).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  const { code } = await server.ended;
  expect(code).toBe(0);
  expect(await statusOf("/health/live")).toBeUndefined();
});
