import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { startApp, type TestApp } from "../../support/app.ts";
import { STANDING } from "../../system/edge/support.ts";
import { parseAnswers, type RawAnswer } from "../raw-http.ts";
import { talk } from "./support.ts";

const PROXY = "127.0.0.9";
const ISSUER = "https://api.example.com";
const app: TestApp = await startApp({
  mode: "production",
  issuer: ISSUER,
  emailVerification: "off",
  trustedProxies: [PROXY],
  deniedAddresses: ["198.51.100.0/24", "127.0.0.66"],
});
afterAll(() => app.close());
const { port, log, clock, bulwark } = app;
beforeEach(() => {
  clock.advance(60_000);
  log.length = 0;
});

/** Sends one request from an address of ours, and returns what came; undefined where nothing did. */
async function send(
  from: string,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer | undefined> {
  const all = { host: "api.example.com", ...headers, connection: "close" };
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return parseAnswers(await talk(port, `${line} HTTP/1.1\r\n${fields.join("")}\r\n`, from))[0];
}

const HTTP = { "x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.1" };
const HTTPS = { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" };
const { "strict-transport-security": HSTS, ...PLAIN } = {
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  ...STANDING,
} as Record<string, string>;

describe("what a trusted proxy says came over plain http", () => {
  test.each(["GET /api/products", "POST /api/auth/login", "GET /nothing", "GET /openapi.json"])(
    "%s is refused, without HSTS and without a redirect",
    async (line) => {
      const answer = await send(PROXY, line, HTTP);
      expect(answer?.status).toBe(403);
      expect(answer?.headers).toMatchObject(PLAIN);
      expect(answer?.headers).not.toHaveProperty("strict-transport-security");
      expect(answer?.headers).not.toHaveProperty("location");
      expect(answer?.body).toContain('"code":"FORBIDDEN"');
    },
  );

  test.each(["GET /docs", "HEAD /docs", "GET /setup"])(
    "%s, a page, is sent to the issuer's https",
    async (line) => {
      const spoofed = { ...HTTP, "x-forwarded-host": "evil.example" };
      const answer = await send(PROXY, `${line}?a=b`, spoofed);
      expect(answer?.status).toBe(308);
      expect(answer?.headers["location"]).toBe(`${ISSUER}${line.split(" ")[1]}?a=b`);
      expect(answer?.headers).not.toHaveProperty("strict-transport-security");
    },
  );

  test("never goes by Host: another one is refused as ever", async () => {
    const answer = await send(PROXY, "GET /docs", { ...HTTP, host: "evil.example" });
    expect(answer?.status).toBe(421);
    expect(answer?.headers).not.toHaveProperty("location");
  });

  test("is served to probes", async () => {
    expect((await send(PROXY, "GET /health/live", HTTP))?.status).toBe(200);
    expect((await send(PROXY, "GET /health/ready", HTTP))?.status).toBe(200);
  });

  test("over https is served, with HSTS", async () => {
    const answer = await send(PROXY, "GET /api/products", HTTPS);
    expect(answer?.status).toBe(401);
    expect(answer?.headers["strict-transport-security"]).toBe(HSTS);
  });

  test("is told in the log, twenty times a minute at most", async () => {
    for (let count = 0; count < 30; count += 1) await send(PROXY, "GET /api/products", HTTP);
    const told = (): string[] => log.filter((line) => line.includes('"reason":"plain_http"'));
    expect(told()).toHaveLength(20);
    expect(told()[0]).toContain('"address":"192.0.2.1"');
    clock.advance(60_000);
    await send(PROXY, "GET /api/products", HTTP);
    expect(told()).toHaveLength(21);
    expect(told()[20]).toContain('"omitted":10');
  });
});

// CVE-2026-3635: what an untrusted peer says of how it came changes nothing.
test.each([HTTP, { "x-forwarded-proto": "http" }, { forwarded: "proto=http" }])(
  "a stranger's %j changes nothing",
  async (headers) => {
    const said = await send("127.0.0.2", "GET /api/products", headers);
    const silent = await send("127.0.0.2", "GET /api/products");
    expect(said?.status).toBe(401);
    expect(silent?.status).toBe(401);
    expect(Object.keys(said?.headers ?? {})).toEqual(Object.keys(silent?.headers ?? {}));
  },
);

test("nor does the other family's header, be it of a trusted proxy", async () => {
  const forwarded = "for=192.0.2.1;proto=http";
  expect((await send(PROXY, "GET /api/products", { forwarded }))?.status).toBe(401);
});

describe("a denied address", () => {
  const through = (client: string): Readonly<Record<string, string>> => ({
    ...HTTPS,
    "x-forwarded-for": client,
  });

  test.each([
    ["198.51.100.7", 403],
    ["::ffff:198.51.100.7", 403],
    ["198.51.101.7", 401],
    // Whatever a client puts in front of the proxy's word.
    ["192.0.2.1, 198.51.100.7", 403],
    ["198.51.100.7, 192.0.2.1", 401],
  ])("%s behind a proxy is %d", async (client, status) => {
    const answer = await send(PROXY, "GET /api/products", through(client));
    expect(answer?.status).toBe(status);
    if (status === 403) expect(answer?.headers).toMatchObject(STANDING);
  });

  test("of a peer is not even heard", async () => {
    expect(await send("127.0.0.66", "GET /health/live")).toBeUndefined();
    const told = log.filter((line) => line.includes('"reason":"denied_connection"'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('"address":"127.0.0.66"');
  });

  test("is counted", async () => {
    await send(PROXY, "GET /api/products", through("198.51.100.7"));
    const text = bulwark.observability.metrics.text();
    for (const reason of ["address", "denied_connection", "plain_http"]) {
      expect(text).toMatch(new RegExp(`bulwark_edge_refusals_total\\{reason="${reason}"\\} [1-9]`));
    }
  });
});
