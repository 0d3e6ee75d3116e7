import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask } from "./support.ts";

/** `npm run test:limits` opens all of them; each is a file on both sides. */
const CONNECTIONS = Number(process.env["BULWARK_CONNECTIONS"] ?? 2_000);
const PER_ADDRESS = 400;

/** A server of its own, from what is built, so that its memory is its own. */
const SERVER = `
import { BaseAPIHandler, createRouter } from "./dist/core/index.js";
import { serve } from "./dist/adapters/node/index.js";
const routes = [BaseAPIHandler.GET(() => "ok", { path: "/ok", requireAuth: false })];
const router = createRouter(BaseAPIHandler, routes);
const { port } = await serve({
  handlers: BaseAPIHandler, router, port: 0, maxConnections: ${CONNECTIONS}, headersTimeout: process.env.HEADERS_TIMEOUT,
});
process.stdout.write(port + "\\n");
setInterval(() => gc(), 200);
`;

/** Opens connections from as many loopback addresses as it takes, says how many stand, and drips on all of them when it is told to. */
const CLIENT = `
import { connect } from "node:net";
const [port, count, perAddress] = process.argv.slice(1).map(Number);
const sockets = [];
let open = 0;
let refused = 0;
const one = (index) => new Promise((resolve) => {
  const at = Math.floor(index / perAddress);
  const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0." + (1 + (at >> 8)) + "." + (at & 255) });
  socket.on("error", () => {});
  socket.once("connect", () => { open += 1; setTimeout(resolve, 0); });
  socket.once("close", () => { open -= 1; refused += 1; resolve(); });
  sockets.push(socket);
});
const AT_ONCE = 200;
for (let index = 0; index < count; index += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - index) }, (_, step) => one(index + step)));
}
process.stdout.write("standing " + open + "\\n");
process.stdin.on("data", (text) => {
  const what = String(text).trim();
  if (what === "drip") {
    const head = "GET /ok HTTP/1.1\\r\\nx: ";
    let sent = 0;
    setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write(head[sent] ?? "a");
      sent += 1;
    }, 250);
  }
  process.stdout.write("open " + open + "\\n");
});
`;

interface Talking {
  readonly child: ChildProcess;
  /** The next line that it prints. */
  next(): Promise<string>;
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

function talking(args: readonly string[], env: Readonly<Record<string, string>> = {}): Talking {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[
    Symbol.asyncIterator
  ]();
  return { child, next: async () => String((await lines.next()).value) };
}

/** Resident memory in MB, by the kernel. */
const residentOf = ({ pid }: ChildProcess): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

async function settled(child: ChildProcess): Promise<number> {
  // The collector runs every 200 ms.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return residentOf(child);
}

describe(`${CONNECTIONS} connections of another process`, () => {
  let server: Talking;
  let client: Talking;
  let port: number;
  let before: number;
  const figures: Record<string, number> = {};

  beforeAll(async () => {
    server = talking(["--expose-gc", "--input-type=module", "-e", SERVER], {
      HEADERS_TIMEOUT: CONNECTIONS > 5_000 ? "30s" : "6s",
    });
    port = Number(await server.next());
    // Code that runs for the first time takes memory of its own.
    for (let round = 0; round < 200; round += 1) expect(await ask(port)).toBe(200);
    before = await settled(server.child);
  });

  test("stand all at once, and the next one is refused", async () => {
    const args = [String(port), String(CONNECTIONS), String(PER_ADDRESS)];
    client = talking(["--input-type=module", "-e", CLIENT, ...args]);
    expect(await client.next()).toBe(`standing ${CONNECTIONS}`);
    expect(await ask(port)).toBe(0);
    expect(await ask(port, "/ok", "127.0.9.9")).toBe(0);
  });

  test("take little memory each, and no more while each of them drips its headers", async () => {
    figures["held"] = (await settled(server.child)) - before;
    client.child.stdin?.write("drip\n");
    expect(await client.next()).toBe(`open ${CONNECTIONS}`);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    figures["dripping"] = (await settled(server.child)) - before;
    expect((figures["held"] * 1_024) / CONNECTIONS).toBeLessThan(24);
    expect(figures["dripping"]).toBeLessThan(figures["held"] + 40);
  });

  test("are cut in time, after which everybody is served and the memory is free again", async () => {
    let status = 0;
    const started = performance.now();
    while (status === 0 && performance.now() - started < 60_000) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      status = await ask(port);
    }
    expect(status).toBe(200);
    for (let count = 1; count > 0; ) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      client.child.stdin?.write("count\n");
      count = Number((await client.next()).split(" ")[1]);
    }
    client.child.kill("SIGKILL");
    await once(client.child, "close");
    figures["after"] = (await settled(server.child)) - before;
    for (let round = 0; round < 50; round += 1) expect(await ask(port)).toBe(200);
    expect(figures["after"]).toBeLessThan((figures["held"] ?? 0) + 40);
    if (process.env["BULWARK_CONNECTIONS"] === undefined) return;
    process.stdout.write(
      `${CONNECTIONS} connections: ${Math.round(before)} MB before; ${JSON.stringify(figures)}\n`,
    );
  }, 120_000);
});
