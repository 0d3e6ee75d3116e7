import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bulwark, createBulwark } from "../../src/bulwark/index.ts";
import { createRouter, type Router, UnavailableError } from "../../src/core/index.ts";
import { createDatabase } from "../../src/database/index.ts";
import { postgresDriver } from "../../src/database/postgres.ts";
import { createLog } from "../../src/observability/index.ts";
import { referenceMigrations, referenceRoutes } from "../../src/server/index.ts";
import { SECRET } from "../support/app.ts";
import { freshDatabase } from "../support/services.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

const url = await freshDatabase();
const HOST = "localhost:3000";

let proxy: TcpProxy;
let bulwark: Bulwark;
let router: Router;
let token: string;
const lines: string[] = [];

const application = (
  database: { url: string; statementTimeout?: string; connectionTimeout?: string },
  size = 2,
): Bulwark =>
  createBulwark({
    mode: "development",
    issuer: `http://${HOST}`,
    secret: SECRET,
    database: { maxConnections: size, connectionTimeout: "10s", ...database },
    migrations: referenceMigrations,
    log: createLog({ destination: { write: (line: string) => void lines.push(line) } }),
  });

const ask = async (path: string): Promise<Response> =>
  router(
    new Request(`http://${HOST}${path}`, {
      headers: {
        host: HOST,
        ...(path.startsWith("/api") ? { authorization: `Bearer ${token}` } : {}),
      },
    }),
    {},
  );

/** Asks until the answer has this status, for at most ten seconds. */
async function until(path: string, status: number): Promise<Response> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const response = await ask(path);
    if (response.status === status || performance.now() > deadline) return response;
  }
}

beforeAll(async () => {
  if (url === undefined) return;
  const direct = new URL(url);
  proxy = await tcpProxy(Number(direct.port));
  const through = new URL(url);
  through.port = String(proxy.port);
  bulwark = application({
    url: through.href,
    statementTimeout: "300ms",
    connectionTimeout: "400ms",
  });
  await bulwark.ready();
  router = createRouter(bulwark.handlers.BaseAPIHandler, referenceRoutes(bulwark));
  const input = { email: "a@example.com", password: "a rather long password", name: "A" };
  await bulwark.registration.createUser(input, { roles: ["user"], verified: true }, {});
  const signedIn = await bulwark.auth.login(input, {});
  token = signedIn.mode === "token" ? signedIn.accessToken : "";
});

afterAll(async () => {
  await bulwark?.close();
  if (url !== undefined) await proxy.cut();
});

describe.skipIf(url === undefined)("PostgreSQL that cannot answer", () => {
  test("gone: 503 with Retry-After and nothing internal, and again 200 without a restart", async () => {
    expect((await ask("/api/products")).status).toBe(200);
    await proxy.cut();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const refused = await ask("/api/products");
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(refused.headers.get("content-security-policy")).toContain("default-src 'none'");
      const text = await refused.text();
      expect(text).toContain("SERVICE_UNAVAILABLE");
      expect(text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|terminated|postgres/i);
    }
    expect((await ask("/health/live")).status).toBe(200);
    expect((await ask("/health/ready")).status).toBe(503);
    await proxy.restore();
    expect((await until("/api/products", 200)).status).toBe(200);
    expect((await until("/health/ready", 200)).status).toBe(200);
  });

  test("a burst while it is gone is all refused, and none of it admitted", async () => {
    await proxy.cut();
    const burst = await Promise.all(Array.from({ length: 100 }, () => ask("/api/auth/me")));
    expect(new Set(burst.map(({ status }) => status))).toEqual(new Set([503]));
    await proxy.restore();
    expect((await until("/api/auth/me", 200)).status).toBe(200);
  });

  test("a statement that takes too long is ended and refused", async () => {
    const slow = bulwark.database.run((orm) => orm.execute(sql`SELECT pg_sleep(5)`));
    await expect(slow).rejects.toBeInstanceOf(UnavailableError);
    expect((await ask("/api/products")).status).toBe(200);
  });

  test("a connection that is ended while a transaction holds it ends that transaction alone", async () => {
    // More than the pool has, so that one which is not given back would be missed.
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const holding = bulwark.database.transaction(async (tx) => {
        const { rows } = (await tx.execute(sql`SELECT pg_backend_pid() AS pid`)) as never as {
          rows: { pid: number }[];
        };
        await bulwark.database.run((orm) =>
          orm.execute(sql`SELECT pg_terminate_backend(${rows[0]?.pid}::int)`),
        );
        await tx.execute(sql`SELECT 1`);
      });
      await expect(holding).rejects.toBeInstanceOf(UnavailableError);
    }
    expect((await ask("/api/products")).status).toBe(200);
  });

  test("connections that say nothing any more are replaced, under transactions too", async () => {
    const direct = new URL(url ?? "");
    const silent = await tcpProxy(Number(direct.port));
    direct.port = String(silent.port);
    const other = application({ url: direct.href, statementTimeout: "50ms" });
    await other.ready();
    const transact = (): Promise<unknown> =>
      other.database.transaction((tx) => tx.execute(sql`SELECT 1`));
    await Promise.all([transact(), transact()]);
    silent.stall();
    const refused = await Promise.allSettled([transact(), transact()]);
    for (const each of refused) {
      expect(each).toMatchObject({ reason: expect.any(UnavailableError) });
    }
    await Promise.all([transact(), transact()]);
    await other.close();
    await silent.cut();
  });

  test("a pool with no connection left refuses in time, and serves when one is free", async () => {
    const holds = Array.from({ length: 2 }, () => {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      return { release, done: bulwark.database.transaction(() => held) };
    });
    expect((await until("/api/products", 503)).status).toBe(503);
    for (const { release } of holds) release();
    await Promise.all(holds.map(({ done }) => done));
    expect((await until("/api/products", 200)).status).toBe(200);
  });

  test("of several processes that start together on an empty database, all find it migrated once", async () => {
    const empty = await freshDatabase();
    const all = Array.from({ length: 6 }, () => application({ url: empty ?? "" }));
    await Promise.all(all.map((each) => each.ready()));
    const result = await all[0]?.database.run((orm) =>
      orm.execute(
        sql`SELECT set_name, id, count(*)::int AS n FROM bulwark.migrations GROUP BY 1, 2`,
      ),
    );
    const { rows } = result as unknown as { rows: { n: number }[] };
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.every(({ n }) => n === 1)).toBe(true);
    await Promise.all(all.map((each) => each.close()));
  });

  test("a process waits for another's migrations for longer than a statement may take", async () => {
    const empty = (await freshDatabase()) ?? "";
    const [first, second] = [
      application({ url: empty }),
      application({ url: empty, statementTimeout: "50ms" }),
    ];
    await first.ready();
    const migrating = first.database.transaction((tx) =>
      tx.execute(sql`SELECT pg_advisory_xact_lock(x'62756c776172'::bigint), pg_sleep(0.5)`),
    );
    await expect(second.ready()).resolves.toBeUndefined();
    await migrating;
    await Promise.all([first.close(), second.close()]);
  });

  test("a close while it opens leaves no connection behind", async () => {
    const empty = (await freshDatabase()) ?? "";
    const other = createDatabase(postgresDriver({ url: empty }));
    const opening = other.connect([]);
    await Promise.all([other.close(), expect(opening).rejects.toBeInstanceOf(UnavailableError)]);
    const result = await bulwark.database.run((orm) =>
      orm.execute(
        sql`SELECT pid FROM pg_stat_activity WHERE datname = ${new URL(empty).pathname.slice(1)}`,
      ),
    );
    expect((result as unknown as { rows: unknown[] }).rows).toEqual([]);
  });

  test("work in flight at a close is finished, and what comes later is refused", async () => {
    const other = application({ url: url ?? "" });
    await other.ready();
    const busy = other.database.run((orm) => orm.execute(sql`SELECT pg_sleep(0.2)`));
    const closing = other.close();
    await expect(busy).resolves.toBeDefined();
    await closing;
    const late = other.database.run((orm) => orm.execute(sql`SELECT 1`));
    await expect(late).rejects.toBeInstanceOf(UnavailableError);
  });

  test("no line of the log holds a parameter", () => {
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toMatch(/a rather long password|argon2id|a@example\.com/);
  });
});
