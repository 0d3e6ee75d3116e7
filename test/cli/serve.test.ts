import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAnswers } from "../attack/raw-http.ts";
import { launch, type StartedProcess, startProcess, temporaryFolder } from "../support/process.ts";

// One data folder through the life of three processes: SIGTERM, kill -9, SIGINT.
const dataDir = temporaryFolder();
const SLOW = { timeout: 120_000 };
const ADMIN = { email: "admin@example.com", password: "correct horse battery staple", name: "A" };
let server: StartedProcess;
let setupToken: string;

beforeAll(async () => {
  const launched = await launch({ dataDir });
  setupToken = (await launched.until(/\/setup#(\S+)\n/))[1] ?? "";
  server = { ...launched, setupToken };
}, SLOW.timeout);

afterAll(async () => {
  await server.stop("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

const post = (path: string, body: unknown) =>
  fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** A login whose body is still on its way: the server has its headers, which it said by 100 Continue. */
async function requestInFlight(): Promise<{ finish: () => Promise<string> }> {
  const body = JSON.stringify({ email: ADMIN.email, password: ADMIN.password });
  const socket = connect(server.port, "127.0.0.1");
  let received = "";
  const received100 = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      if (received.includes("100 Continue")) resolve();
    });
  });
  socket.write(
    [
      "POST /api/auth/login HTTP/1.1",
      `host: localhost:${server.port}`,
      "content-type: application/json",
      `content-length: ${body.length}`,
      "expect: 100-continue",
      "",
      body.slice(0, 10),
    ].join("\r\n"),
  );
  await received100;
  return {
    finish: () =>
      new Promise((resolve) => {
        socket.once("close", () => resolve(received));
        socket.write(body.slice(10));
      }),
  };
}

/** An open connection that asks nothing. */
const idleConnection = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(server.port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => {});
  });

async function closesInOrder(signal: NodeJS.Signals): Promise<void> {
  const idle = await idleConnection();
  const request = await requestInFlight();
  server.signal(signal);
  await server.until(new RegExp(`${signal}: closing`));
  await expect(fetch(`${server.url}/health/live`)).rejects.toThrow("fetch failed");
  const answers = parseAnswers(await request.finish());
  expect(answers.map(({ status }) => status)).toEqual([100, 200]);
  expect(answers[1]?.body).toContain("accessToken");
  const { code, stdout, stderr } = await server.ended;
  idle.destroy();
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("closed");
  expect(stderr).toBe("");
}

test("a start prints its address, what its data survives, and the first-admin link, and nothing else", () => {
  expect(server.stdout().trimEnd().split("\n")).toEqual([
    `Bulwark is listening on ${server.url} (development)`,
    expect.stringMatching(/^Data: PGlite; it survives a kill of the process, not a loss of power/),
    `Make the first administrator within 15 minutes: ${server.url}/setup#${setupToken}`,
  ]);
  expect(setupToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test("the link makes the first administrator", async () => {
  expect((await post("/setup", { token: setupToken, ...ADMIN })).status).toBe(201);
});

test(
  "a second process on the same data folder is refused in words, and the first serves on",
  SLOW,
  async () => {
    const { ended } = await launch({ dataDir });
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toBe(`bulwark: the data folder is in use by another process: ${dataDir}\n`);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  },
);

test("SIGTERM lets a request in flight finish, takes no other, and exits 0", SLOW, () =>
  closesInOrder("SIGTERM"),
);

test("started again, it has its data and prints no link", SLOW, async () => {
  server = await startProcess({ dataDir });
  expect((await post("/api/auth/login", ADMIN_LOGIN)).status).toBe(200);
  expect(server.stdout()).not.toContain("/setup#");
});

const ADMIN_LOGIN = { email: ADMIN.email, password: ADMIN.password };
const USER = { email: "user@example.com", password: "a rather long password", name: "User" };

test(
  "what was answered before a kill -9 is there after the restart, which is not refused",
  SLOW,
  async () => {
    expect((await post("/api/auth/register", USER)).status).toBe(201);
    server.signal("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    server = await startProcess({ dataDir, port: server.port });
    const login = await post("/api/auth/login", { email: USER.email, password: USER.password });
    expect(login.status).toBe(200);
  },
);

test("a process is refused on the folder of one that came after a kill -9", SLOW, async () => {
  const { code, stderr } = await (await launch({ dataDir })).ended;
  expect(code).toBe(1);
  expect(stderr).toContain("in use by another process");
});

test("SIGINT closes in the same order", SLOW, () => closesInOrder("SIGINT"));
