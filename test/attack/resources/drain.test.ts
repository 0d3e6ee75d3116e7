import { afterEach, expect, test } from "vitest";
import { startApp, type TestApp } from "../../support/app.ts";
import { ask, open, start, statusesOf, type TestServer, turn } from "./support.ts";

let server: TestServer | undefined;
let app: TestApp | undefined;
afterEach(async () => {
  await server?.close();
  await app?.close();
  server = undefined;
  app = undefined;
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`;

test("what is in flight is answered, as the last of its connection; idle ones end, and nobody else comes in", async () => {
  server = await start({ drainTimeout: "20s" });
  const { port, begun } = server;
  const clients = Array.from({ length: 50 }, () => open(port));
  const idle = Array.from({ length: 50 }, () => open(port));
  for (const { socket } of clients) socket.write(get("/wait"));
  for (const { socket } of idle) socket.write(get("/ok"));
  while (begun.length < 50) await turn(5);
  for (const { text } of idle) while (statusesOf(text()).length === 0) await turn(5);
  // Lets the handlers go, and is over when they are.
  await server.close();
  for (const { closed } of clients) {
    const text = await closed;
    expect(statusesOf(text)).toEqual(["200"]);
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
  }
  for (const { closed } of idle) expect(statusesOf(await closed)).toEqual(["200"]);
  expect(begun.every(({ aborted }) => !aborted)).toBe(true);
  expect(await ask(port)).toBe(0);
});

test("an answer that is on its way arrives whole", async () => {
  server = await start({ drainTimeout: "20s" });
  const { port } = server;
  const [before, idle] = [open(port), open(port)];
  before.socket.write(get("/megabytes"));
  idle.socket.write(get("/ok"));
  while (before.text() === "" || idle.text() === "") await turn(1);
  before.socket.pause();
  const closing = server.close();
  await turn(200);
  before.socket.resume();
  await closing;
  expect((await before.closed).length).toBeGreaterThan(20_000_000);
  expect(statusesOf(await idle.closed)).toEqual(["200"]);
});

test("who connected and asked nothing is not waited for", { timeout: 15_000 }, async () => {
  server = await start({ drainTimeout: "60s" });
  const silent = Array.from({ length: 20 }, () => open(server?.port ?? 0));
  await ask(server.port);
  await server.close();
  for (const { closed } of silent) expect(await closed).toBe("");
});

test("what is not done in time is cut, and told so by its signal", async () => {
  server = await start({ drainTimeout: "300ms" });
  const client = open(server.port);
  client.socket.write(get("/hang"));
  while (server.begun.length === 0) await turn(5);
  const started = performance.now();
  await server.close();
  expect(performance.now() - started).toBeGreaterThan(250);
  expect(await client.closed).toBe("");
  expect(server.begun.map(({ aborted }) => aborted)).toEqual([true]);
});

test("/health/ready is 503 first, while all else is served and each answer ends its connection", async () => {
  app = await startApp({ server: { drainDelay: "700ms", drainTimeout: "2s" } });
  const { call, port } = app;
  const held = open(port);
  held.socket.write(`GET /health/live HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`);
  while (statusesOf(held.text()).length === 0) await turn(5);
  expect((await call("GET", "/health/ready")).status).toBe(200);
  const closing = app.close();
  app = undefined;
  const ready = await call("GET", "/health/ready");
  expect(ready.status).toBe(503);
  expect(ready.json).toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  expect((await call("GET", "/health/live")).status).toBe(200);
  expect((await call("GET", "/api/products")).status).toBe(401);
  held.socket.write(`GET /health/live HTTP/1.1\r\nhost: localhost:${port}\r\n\r\n`);
  const answers = (await held.closed).split("HTTP/1.1 ").slice(1);
  expect(answers[0]).toMatch(/connection: keep-alive/i);
  expect(answers[1]).toMatch(/^200 [\s\S]*connection: close/i);
  await closing;
  expect(await ask(port)).toBe(0);
});
