import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type StartedProcess, startProcess, temporaryFolder } from "../support/process.ts";

// The use of keys is counted in memory and written every ten seconds: what a kill -9 takes with it, and what a close does not.
const dataDir = temporaryFolder();
const SLOW = { timeout: 120_000 };
const WRITTEN_EVERY_MS = 10_000;
/** A write takes its time too, and a busy machine more of it. */
const WRITE_MS = 5_000;
const ADMIN = { email: "admin@example.com", password: "correct horse battery staple", name: "A" };

let server: Pick<StartedProcess, "url" | "port" | "signal" | "ended" | "stop">;
let token = "";
let keyId = "";
let key = "";
/** When each request was sent that the key opened. */
const uses: number[] = [];

beforeAll(async () => {
  const launched = await launch({ dataDir });
  server = launched;
  const [, setupToken] = await launched.until(/\/setup#(\S+)\n/);
  await call("POST", "/setup", { token: setupToken, ...ADMIN });
  token = await signIn();
  const body = { name: "counted", scopes: ["products:read"] };
  const made = await call<{ id: string; key: string }>("POST", "/api/api-keys", body, bearer());
  keyId = made.id;
  key = made.key;
}, SLOW.timeout);

afterAll(async () => {
  await server.stop("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function call<T = unknown>(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (JSON.parse(text) as { data: T }).data;
}

async function signIn(): Promise<string> {
  const { email, password } = ADMIN;
  const login = await call<{ accessToken: string }>("POST", "/api/auth/login", { email, password });
  return login.accessToken;
}

async function useKey(): Promise<void> {
  const at = Date.now();
  await call("GET", "/api/products", undefined, { "x-api-key": key });
  uses.push(at);
}

interface Stored {
  readonly requests: number;
  readonly lastUsedAt: number;
}

/** What the database has of the key's use. */
async function stored(): Promise<Stored> {
  const { usage, lastUsedAt } = await call<{
    usage: readonly { requests: number }[];
    lastUsedAt: string | null;
  }>("GET", `/api/api-keys/${keyId}`, undefined, bearer());
  return {
    requests: usage.reduce((sum, { requests }) => sum + requests, 0),
    lastUsedAt: lastUsedAt === null ? 0 : Date.parse(lastUsedAt),
  };
}

/** usedUntilWritten uses the key again and again until the database knows of it. */
async function usedUntilWritten(): Promise<Stored> {
  for (;;) {
    await useKey();
    const now = await stored();
    if (now.requests > 0) return now;
    await pause(200);
  }
}

test("no request waits for a write", SLOW, async () => {
  await useKey();
  expect(await stored()).toEqual({ requests: 0, lastUsedAt: 0 });
});

test(
  "a kill -9 loses at most the last ten seconds of use, and nothing that was written",
  SLOW,
  async () => {
    const written = await usedUntilWritten();
    const firstWrite = Date.now() - (uses[0] ?? 0);
    expect(firstWrite).toBeLessThan(WRITTEN_EVERY_MS + WRITE_MS);
    for (let i = 0; i < 5; i += 1) await useKey();
    server.signal("SIGKILL");
    const killed = Date.now();
    expect((await server.ended).signal).toBe("SIGKILL");
    server = await startProcess({ dataDir, port: server.port });
    token = await signIn();

    const left = await stored();
    expect(left.requests).toBeGreaterThanOrEqual(written.requests);
    expect(left.requests).toBeLessThanOrEqual(uses.length);
    const older = uses.filter((at) => at < killed - WRITTEN_EVERY_MS - WRITE_MS).length;
    expect(left.requests).toBeGreaterThanOrEqual(older);
    expect(left.lastUsedAt).toBeGreaterThanOrEqual(written.lastUsedAt);
    expect(left.lastUsedAt).toBeGreaterThan(killed - WRITTEN_EVERY_MS - WRITE_MS);
    expect(left.lastUsedAt).toBeLessThanOrEqual(killed);
  },
);

test("a close loses nothing", SLOW, async () => {
  const before = await stored();
  for (let i = 0; i < 3; i += 1) await useKey();
  expect((await server.stop("SIGTERM")).code).toBe(0);
  server = await startProcess({ dataDir, port: server.port });
  token = await signIn();
  const after = await stored();
  expect(after.requests).toBe(before.requests + 3);
  expect(after.lastUsedAt).toBeGreaterThanOrEqual(uses.at(-1) ?? 0);
});
