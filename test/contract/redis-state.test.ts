import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer as createProxy, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { Redis } from "ioredis";
import { afterEach, describe, expect, test } from "vitest";
import { type Log, type StateStore, UnavailableError } from "../../src/core/index.ts";
import { RedisState, type RedisStateOptions } from "../../src/state/redis.ts";
import { ownRedis, type Service, startRedis } from "../support/services.ts";

// What holds for every store is in state.test.ts; this is about the server and the way to it.

const available = (await startRedis()) !== undefined;
const BUDGET_MS = 500;
/** What a busy machine may add to a timer; less than what a second budget would. */
const SLACK_MS = 400;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function stateAt(url: string, options: Partial<RedisStateOptions> = {}): RedisState {
  const state = new RedisState({ url, budgetMs: BUDGET_MS, ...options });
  closing.push(() => state.close());
  return state;
}

async function server(options: Parameters<typeof ownRedis>[0] = {}): Promise<Service> {
  const service = await ownRedis(options);
  if (service === undefined) throw new Error("unreachable: the suite is skipped without a server");
  closing.push(() => service.stop());
  return service;
}

function clientOf(url: string): Redis {
  const client = new Redis(url);
  closing.push(() => client.disconnect());
  return client;
}

/** slowWayTo returns a port that leads to another one, from which every answer comes late. */
async function slowWayTo(port: number, delayMs: number): Promise<number> {
  const proxy = createProxy((socket) => {
    const redis = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => redis.write(chunk));
    redis.on("data", (chunk) => setTimeout(() => socket.write(chunk), delayMs));
    socket.on("error", () => {}).on("close", () => redis.destroy());
  });
  closing.push(() => proxy.close());
  return listen(proxy);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const CALLS: readonly (readonly [string, (state: StateStore) => Promise<unknown>])[] = [
  ["get", (state) => state.get("key")],
  ["set", (state) => state.set("key", "a", "1h")],
  ["swap", (state) => state.swap("key", "a", "b", "1h")],
  ["take", (state) => state.take("key")],
  ["increment", (state) => state.increment("counter", { ttl: "1h" })],
  ["delete", (state) => state.delete("key")],
  ["publish", (state) => state.publish("channel", "a")],
  ["subscribe", (state) => state.subscribe("channel", () => {})],
];

/** refusesAll: every call at once rejects with an UnavailableError, within the budget. */
async function refusesAll(state: RedisState): Promise<void> {
  const calls = [...CALLS, ["check", () => state.check()] as const];
  await Promise.all(
    calls.map(async ([name, call]) => {
      const begun = performance.now();
      const error: unknown = await call(state).catch((caught: unknown) => caught);
      expect(error, name).toBeInstanceOf(UnavailableError);
      expect(performance.now() - begun, name).toBeLessThan(BUDGET_MS + SLACK_MS);
    }),
  );
}

const answers = (state: RedisState): Promise<boolean> =>
  state.set("probe", "a", "1h").catch(() => false);

const recovers = (state: RedisState): Promise<void> =>
  expect.poll(() => answers(state), { timeout: 10_000, interval: 50 }).toBe(true);

describe.skipIf(!available)("RedisState (skipped where redis-server is not installed)", () => {
  test("every key that is written has a time to live", async () => {
    const { url } = await server();
    const state = stateAt(url, { prefix: "p:" });
    await state.set("set", "a", "1h");
    await state.set("absent", "a", "1h", "absent");
    await state.set("absent", "b", "1h", "present");
    await state.set("swap", "a", "1h");
    await state.swap("swap", "a", "b", "1h");
    await state.increment("counter", { ttl: "1h" });
    await state.increment("counter", { ttl: "1h" });
    await state.increment("counter", { ttl: "1h", atMost: 2 });
    await state.increment("never", { ttl: "1h", by: 2, atMost: 1 });
    const client = clientOf(url);
    const keys = await client.keys("*");
    expect(keys.toSorted()).toEqual(["p:absent", "p:counter", "p:set", "p:swap"]);
    for (const key of keys) expect(await client.pttl(key), key).toBeGreaterThan(3_500_000);
  });

  // redis#4548: INCR without EXPIRE, after a crash between the two, limits for ever.
  test("a counter without a time to live gets one, refused or not", async () => {
    const { url } = await server();
    const state = stateAt(url);
    const client = clientOf(url);
    await client.mset("bulwark:a", "1", "bulwark:b", "1");
    expect((await state.increment("a", { ttl: "1h", atMost: 1 })).applied).toBe(false);
    expect((await state.increment("b", { ttl: "1h", atMost: 2 })).applied).toBe(true);
    for (const key of ["bulwark:a", "bulwark:b"]) {
      expect(await client.pttl(key)).toBeGreaterThan(3_500_000);
    }
  });

  test("killed: every call refuses; restarted: it works again, listeners included", async () => {
    const first = await server();
    const lines: string[] = [];
    const write = (_facts: unknown, message: string): void => void lines.push(message);
    const log: Log = { info: write, warn: write, error: write };
    const state = stateAt(first.url, { log });
    const heard: string[] = [];
    await state.subscribe("channel", (message) => heard.push(message));
    await state.set("key", "a", "1h");

    process.kill(first.pid, "SIGKILL");
    await first.ended;
    await refusesAll(state);
    // Once more, when it is known to be gone: nothing waits.
    const begun = performance.now();
    for (let i = 0; i < 100; i += 1)
      await expect(state.get("key")).rejects.toThrow(UnavailableError);
    expect(performance.now() - begun).toBeLessThan(BUDGET_MS);

    await server({ port: first.port, password: new URL(first.url).password });
    await recovers(state);
    expect(await state.get("key")).toBeUndefined();
    const said = async (): Promise<boolean> => {
      await state.publish("channel", "again");
      return heard.includes("again");
    };
    await expect.poll(said, { timeout: 10_000 }).toBe(true);
    // Two connections were lost and came back: one line each, however often they tried.
    expect(lines.filter((line) => line === "Redis does not answer").length).toBeLessThanOrEqual(2);
    expect(lines).toContain("Redis answers again");
  });

  test("paused: every call refuses within the budget; resumed: it works again", async () => {
    const { url, pid } = await server();
    const state = stateAt(url);
    await state.set("key", "a", "1h");
    await state.subscribe("elsewhere", () => {});
    process.kill(pid, "SIGSTOP");
    try {
      for (let i = 0; i < 3; i += 1) await refusesAll(state);
      // By now it is given up: nothing is sent, and nothing heaps up behind the connection.
      const begun = performance.now();
      await expect(state.get("key")).rejects.toThrow(UnavailableError);
      expect(performance.now() - begun).toBeLessThan(BUDGET_MS / 2);
      // The first call of a new process, whose connection is accepted by the kernel alone.
      await refusesAll(stateAt(url));
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await recovers(state);
  });

  test("a call that was refused while the connection was made is not sent later", async () => {
    const { url, port } = await server();
    // Each step of the connection stays within the budget; all of them together do not.
    const slow = await slowWayTo(port, 0.7 * BUDGET_MS);
    const state = stateAt(url.replace(`:${port}`, `:${slow}`));
    await expect(state.increment("counter", { ttl: "1h" })).rejects.toThrow(UnavailableError);
    await recovers(state);
    expect(await clientOf(url).keys("*")).toEqual(["bulwark:probe"]);
  });

  test("full: what writes refuses, and what is there stays", async () => {
    const { url } = await server();
    const state = stateAt(url);
    await state.set("key", "a", "1h");
    await clientOf(url).config("SET", "maxmemory", "1");
    await expect(state.set("new", "b", "1h")).rejects.toThrow(UnavailableError);
    await expect(state.increment("counter", { ttl: "1h" })).rejects.toThrow(UnavailableError);
    expect(await state.get("key")).toBe("a");
  });

  test("a database that the server does not have refuses, and nothing goes into another one", async () => {
    const { url } = await server({ settings: ["databases 2"] });
    const state = stateAt(`${url}/2`);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      for (const [name, call] of CALLS) {
        await expect(call(state), name).rejects.toThrow(UnavailableError);
      }
      await expect(state.get("key")).rejects.toMatchObject({
        cause: { message: "ERR DB index is out of range" },
      });
    }
    const client = clientOf(url);
    expect(await client.dbsize()).toBe(0);
    const other = stateAt(`${url}/1`);
    expect(await other.set("key", "a", "1h")).toBe(true);
    expect(await client.dbsize()).toBe(0);
  });

  test("check reports any policy but noeviction", async () => {
    const { url } = await server();
    const state = stateAt(url);
    expect(await state.check()).toEqual({ evictionPolicy: "noeviction", problems: [] });
    const client = clientOf(url);
    for (const policy of ["allkeys-lru", "volatile-ttl", "volatile-lru", "allkeys-random"]) {
      await client.config("SET", "maxmemory-policy", policy);
      const problems = [`maxmemory-policy: expected noeviction, came ${policy}`];
      expect(await state.check()).toEqual({ evictionPolicy: policy, problems });
    }
  });

  test("closed, every call refuses, and closing again does nothing", async () => {
    const { url } = await server();
    const state = stateAt(url);
    await state.set("key", "a", "1h");
    await state.close();
    await state.close();
    await refusesAll(state);
  });

  test("a wrong password refuses, and no error or line holds it or what was sent", async () => {
    const { url } = await server();
    const wrong = new URL(url);
    wrong.password = "hunter2";
    const facts: unknown[] = [];
    const write = (fact: unknown): void => void facts.push(fact);
    const state = stateAt(wrong.href, { log: { info: write, warn: write, error: write } });
    const error: unknown = await state.set("k", "hunter2", "1h").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UnavailableError);
    const shown = JSON.stringify([error, ...facts], (_key, value: unknown) =>
      value instanceof Error
        ? Object.fromEntries(
            Object.getOwnPropertyNames(value).map((name) => [name, Reflect.get(value, name)]),
          )
        : value,
    );
    expect(shown).toContain("WRONGPASS");
    expect(shown).not.toContain("hunter2");
  });
});

const openssl = ((): boolean => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** A certificate for localhost that signs for itself. */
function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-tls-"));
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const out = ["-keyout", keyFile, "-out", certFile, "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...name, ...out], { stdio: "ignore" });
  const pair = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
  rmSync(folder, { recursive: true });
  return pair;
}

describe.skipIf(!available || !openssl)("RedisState over TLS (skipped without openssl)", () => {
  test("a server is spoken to only if its certificate is trusted and names it", async () => {
    const { url, port } = await server();
    const { key, cert } = selfSigned();
    const front = createServer({ key, cert }, (socket) => {
      const redis = connect(port, "127.0.0.1");
      socket.on("error", () => redis.destroy());
      socket.pipe(redis).pipe(socket);
    });
    closing.push(() => front.close());
    const tlsPort = await listen(front);
    const { password } = new URL(url);
    const at = (host: string): string => `rediss://:${password}@${host}:${tlsPort}`;

    await expect(stateAt(at("localhost")).get("key")).rejects.toThrow(UnavailableError);
    await expect(stateAt(at("127.0.0.1"), { ca: cert }).get("key")).rejects.toThrow(
      UnavailableError,
    );
    expect(await stateAt(at("localhost"), { ca: cert }).set("key", "a", "1h")).toBe(true);
  });
});

test.each([0, -1, 1.5, 60_001])("budgetMs of %d is a RangeError", (budgetMs) => {
  expect(() => new RedisState({ url: "redis://localhost", budgetMs })).toThrow(RangeError);
});
