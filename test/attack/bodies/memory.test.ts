import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createGzip } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange } from "../raw-http.ts";
import { CODINGS, chunked, message, PACK } from "./support.ts";

/**
 * The server is a process of its own, so that nothing but it is weighed. It tells its memory, and the most that it ever had, when it is asked.
 */
const SERVER = `
  import { createRouter, createBulwark } from "./dist/index.js";
  import { serve } from "./dist/adapters/node/index.js";
  const bulwark = createBulwark({
    mode: "development", issuer: "http://localhost:1", hosts: ["b"], emailVerification: "off",
    database: { insecureInMemory: true }, bans: "off",
    limits: Object.fromEntries(["address", "anonymous"].map((name) => [name, { requests: 1_000_000_000, window: "1m" }])),
  });
  await bulwark.ready();
  const { BaseAPIHandler } = bulwark.handlers;
  const open = { requireAuth: false };
  const any = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
  const routes = [
    BaseAPIHandler.POST(() => ({ read: true }), { path: "/read", body: any, ...open }),
    BaseAPIHandler.POST(async ({ request }) => ({ size: (await request.text()).length }), { path: "/own", ...open }),
    BaseAPIHandler.POST(() => ({ read: false }), { path: "/unread", ...open }),
  ];
  const { port } = await serve({ handlers: BaseAPIHandler, router: createRouter(BaseAPIHandler, routes), port: 0 });
  let most = 0;
  setInterval(() => { most = Math.max(most, process.memoryUsage.rss()); }, 2);
  process.on("message", () => { process.send({ now: process.memoryUsage.rss(), most }); most = 0; });
  process.send({ port });
`;

let child: ChildProcess;
let port: number;

const ask = async (): Promise<{ now: number; most: number }> => {
  child.send("memory");
  const [answer] = (await once(child, "message")) as [{ now: number; most: number }];
  return answer;
};

beforeAll(async () => {
  child = spawn(process.execPath, ["--input-type=module", "-e", SERVER], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [started] = (await once(child, "message")) as [{ port: number }];
  port = started.port;
  // What a first request brings into memory is not what is weighed.
  for (const coding of CODINGS) {
    for (const path of ["/read", "/own"]) {
      expect(await post(path, coding, PACK[coding]('{"a":1}'))).toBe(200);
    }
    await Promise.all(bombs.get(coding)?.map((bomb) => post("/read", coding, bomb)) ?? []);
  }
}, 120_000);

afterAll(() => {
  child.kill("SIGKILL");
});

async function post(path: string, coding: string, body: Uint8Array): Promise<number> {
  const fields = [
    "host: b",
    "content-type: application/json",
    `content-encoding: ${coding}`,
    `content-length: ${body.length}`,
  ];
  const [answer] = await exchange(port, message(`POST ${path}`, fields, body));
  return answer?.status ?? 0;
}

const ZEROS = Buffer.alloc(200_000_000);
const bombs = new Map(CODINGS.map((coding) => [coding, [PACK[coding](ZEROS)]]));
/** What a burst may add: two streams at once, their windows and what they made, and the packed bodies that wait. */
const FLAT = 64_000_000;

describe.each(CODINGS)("200 MB of zeros in %s", (coding) => {
  const [bomb = new Uint8Array()] = bombs.get(coding) ?? [];

  test.each(["/read", "/own"])("32 at once on %s are 413, and memory is flat", async (path) => {
    const { now } = await ask();
    const all = await Promise.all(Array.from({ length: 32 }, () => post(path, coding, bomb)));
    expect(new Set(all)).toEqual(new Set([413]));
    const { most } = await ask();
    // Each would be 200 MB.
    expect(most - now).toBeLessThan(FLAT);
  });

  test("on a route that never reads is never unpacked", async () => {
    const { now } = await ask();
    const all = await Promise.all(Array.from({ length: 32 }, () => post("/unread", coding, bomb)));
    expect(new Set(all)).toEqual(new Set([200]));
    expect((await ask()).most - now).toBeLessThan(FLAT);
  });
});

test("10 GiB of zeros, sent as long as the server takes them, are cut with a 413", async () => {
  const { now } = await ask();
  const gzip = createGzip({ level: 1 });
  const zeros = Buffer.alloc(1_048_576);
  let made = 0;
  const socket = connect(port, "127.0.0.1");
  const fields = ["host: b", "content-type: application/json", "content-encoding: gzip"];
  const answered = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  const head = message("POST /read", [...fields, "transfer-encoding: chunked"], "");
  socket.write(head);
  gzip.on("data", (piece: Buffer) => {
    if (socket.destroyed || !socket.writable) return;
    const framed = chunked(piece, piece.length).subarray(0, -5);
    if (!socket.write(framed)) {
      gzip.pause();
      socket.once("drain", () => gzip.resume());
    }
  });
  const closed = once(socket, "close");
  while (made < 10 * 1024 && !socket.destroyed) {
    made += 1;
    if (!gzip.write(zeros)) await Promise.race([once(gzip, "drain"), closed]);
  }
  gzip.destroy();
  const text = await answered;
  expect(text).toMatch(/^HTTP\/1\.1 413 /);
  expect(made).toBeLessThan(10 * 1024);
  expect((await ask()).most - now).toBeLessThan(FLAT);
});
