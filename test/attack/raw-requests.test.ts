import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { testApp } from "../support/app.ts";
import { STANDING } from "../system/edge/support.ts";

const { clock, port, query, raw, reset, signUp, log } = await testApp();
let token: string;

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
});
beforeEach(() => clock.advance(1_000));

const BODY = '{"name":"Lamp","price":9.99,"category":"home"}';

interface Parts {
  readonly line?: string;
  readonly host?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
}

/** A signed-in POST of a product, with the parts that a case bends. */
const request = ({ line, host, fields, body }: Parts): string =>
  [
    line ?? "POST /api/products HTTP/1.1",
    host ?? `host: localhost:${port}`,
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    ...(fields ?? [`content-length: ${(body ?? BODY).length}`]),
    "connection: close",
    "",
    body ?? BODY,
  ].join("\r\n");

const count = async (): Promise<number> =>
  (await query(sql`SELECT id FROM reference.products`)).length;

const chunked = (chunks: readonly string[]): string =>
  [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), "0\r\n\r\n"].join("");

test("the request that all cases bend is good as it is, in one piece and chunked", async () => {
  expect((await raw(request({})))[0]?.status).toBe(201);
  const fields = ["transfer-encoding: chunked"];
  const body = chunked([BODY.slice(0, 7), BODY.slice(7)]);
  expect((await raw(request({ fields, body })))[0]?.status).toBe(201);
});

// CVE-2026-44456, CVE-2026-54288: the limit was beaten by a forged, absent, duplicate or non-numeric Content-Length.
const MEGABYTE = "x".repeat(1_000_000);
const FRAMING: readonly (readonly [name: string, parts: Parts, status: number])[] = [
  ["a negative Content-Length", { fields: ["content-length: -1"] }, 400],
  ["a Content-Length with a plus", { fields: [`content-length: +${BODY.length}`] }, 400],
  ["a Content-Length in hexadecimal", { fields: ["content-length: 0x2f"] }, 400],
  ["a Content-Length of words", { fields: ["content-length: many"] }, 400],
  ["an empty Content-Length", { fields: ["content-length:"] }, 400],
  ["a Content-Length of 30 digits", { fields: [`content-length: ${"9".repeat(30)}`] }, 400],
  [
    "two equal Content-Lengths",
    { fields: [`content-length: ${BODY.length}`, `content-length: ${BODY.length}`] },
    400,
  ],
  [
    "two different Content-Lengths",
    { fields: [`content-length: ${BODY.length}`, "content-length: 1"] },
    400,
  ],
  [
    "a list of Content-Lengths",
    { fields: [`content-length: ${BODY.length}, ${BODY.length}`] },
    400,
  ],
  ["a Content-Length that is too short", { fields: ["content-length: 5"] }, 400],
  [
    "Content-Length and Transfer-Encoding",
    {
      fields: [`content-length: ${BODY.length}`, "transfer-encoding: chunked"],
      body: chunked([BODY]),
    },
    400,
  ],
  [
    "Transfer-Encoding and Content-Length",
    { fields: ["transfer-encoding: chunked", "content-length: 4"], body: chunked([BODY]) },
    400,
  ],
  ["an unknown Transfer-Encoding", { fields: ["transfer-encoding: xchunked"] }, 400],
  [
    "a Transfer-Encoding that does not end in chunked",
    { fields: ["transfer-encoding: chunked, identity"], body: chunked([BODY]) },
    400,
  ],
  [
    "a chunk size that is no number",
    { fields: ["transfer-encoding: chunked"], body: `zz\r\n${BODY}\r\n0\r\n\r\n` },
    400,
  ],
  [
    "a chunk that is longer than it says",
    { fields: ["transfer-encoding: chunked"], body: `1\r\n${BODY}\r\n0\r\n\r\n` },
    400,
  ],
  [
    "a negative chunk size",
    { fields: ["transfer-encoding: chunked"], body: `-1\r\n${BODY}\r\n0\r\n\r\n` },
    400,
  ],
  ["more than the limit by its length", { fields: ["content-length: 1048577"], body: "" }, 413],
  [
    "far more than the limit by its length",
    { fields: ["content-length: 999999999999"], body: "" },
    413,
  ],
  [
    "more than the limit in chunks",
    { fields: ["transfer-encoding: chunked"], body: chunked([MEGABYTE, MEGABYTE, MEGABYTE]) },
    413,
  ],
  ["no length at all", { fields: [], body: "" }, 400],
];

test.each(FRAMING)("%s is refused, and writes nothing", async (_name, parts, status) => {
  const before = await count();
  const answers = await raw(request(parts));
  expect(answers[0]?.status).toBe(status);
  expect(answers[0]?.headers).toMatchObject(STANDING);
  expect(answers[0]?.body).toContain(status === 413 ? "PAYLOAD_TOO_LARGE" : '"success":false');
  for (const answer of answers) expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(await count()).toBe(before);
});

test("a body that no handler reads is bounded too", async () => {
  const fields = ["transfer-encoding: chunked"];
  const body = chunked([MEGABYTE, MEGABYTE, MEGABYTE]);
  const logout = request({ line: "POST /api/auth/nothing HTTP/1.1", fields, body });
  expect((await raw(logout))[0]?.status).toBe(404);
  const declared = request({
    line: "GET /api/products HTTP/1.1",
    fields: ["content-length: 1048577"],
    body: "",
  });
  expect((await raw(declared))[0]?.status).toBe(413);
});

test("headers of more than 16 KiB are 431, in the form of every refusal", async () => {
  const fields = [`content-length: ${BODY.length}`, `x-filler: ${"x".repeat(17_000)}`];
  const [answer] = await raw(request({ fields }));
  expect(answer?.status).toBe(431);
  expect(answer?.headers).toMatchObject(STANDING);
  expect(answer?.headers["content-type"]).toBe("application/json; charset=utf-8");
  const body = JSON.parse(answer?.body ?? "") as unknown;
  expect(body).toMatchObject({
    code: "HEADERS_TOO_LARGE",
    statusCode: 431,
    meta: { requestId: answer?.headers["x-request-id"] },
  });
});

// A proxy writes its header last, behind whatever the client sent: nothing may be dropped from the end.
test("up to 100 headers are all read, and one more is 431", async () => {
  const line = "GET /api/products HTTP/1.1";
  // Host, Authorization, Content-Type and Connection stand beside them.
  const filler = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}: 1`);
  const statusWith = async (fields: readonly string[]): Promise<number | undefined> =>
    (await raw(request({ line, fields, body: "" })))[0]?.status;
  expect(await statusWith(filler(96))).toBe(200);
  expect(await statusWith([...filler(95), "x-api-key: second"])).toBe(400);
  const [answer] = await raw(request({ line, fields: filler(97), body: "" }));
  expect(answer?.status).toBe(431);
  expect(answer?.headers).toMatchObject(STANDING);
  expect(answer?.body).toContain("HEADERS_TOO_LARGE");
  expect(await statusWith(filler(1_500))).toBe(431);
});

const LINES: readonly (readonly [name: string, parts: Parts, statuses: readonly number[]])[] = [
  ["no Host", { host: "x-none: 1" }, [400, 421]],
  ["an empty Host", { host: "host:" }, [400]],
  ["two Hosts", { host: `host: localhost:${port}\r\nhost: example.com` }, [400, 421]],
  ["a foreign Host first", { host: `host: example.com\r\nhost: localhost:${port}` }, [400, 421]],
  ["a Host with a path", { host: `host: localhost:${port}/api` }, [400, 421]],
  ["a Host with a user", { host: `host: localhost:${port}@example.com` }, [400, 421]],
  [
    "an absolute-form target of another host",
    { line: "POST http://example.com/api/products HTTP/1.1", host: "host: example.com" },
    [400, 404, 421],
  ],
  ["an authority as target", { line: `POST localhost:${port} HTTP/1.1` }, [400, 404]],
  ["* as target", { line: "OPTIONS * HTTP/1.1" }, [400, 404]],
  ["a target without a slash", { line: "POST api/products HTTP/1.1" }, [400, 404]],
  ["an unknown method", { line: "BREW /api/products HTTP/1.1" }, [400]],
  ["a method in lower case", { line: "post /api/products HTTP/1.1" }, [400]],
  ["TRACE", { line: "TRACE /api/products HTTP/1.1" }, [400, 405, 501]],
  ["CONNECT", { line: `CONNECT localhost:${port} HTTP/1.1` }, [400, 404, 405]],
  ["PROPFIND", { line: "PROPFIND /api/products HTTP/1.1" }, [405]],
  ["another version", { line: "POST /api/products HTTP/9.9" }, [400, 505]],
  ["no version", { line: "POST /api/products" }, [400]],
  ["a folded header", { fields: [`content-length: ${BODY.length}`, "x-a: b\r\n c"] }, [400]],
  ["a space before a colon", { fields: [`content-length : ${BODY.length}`] }, [400]],
  ["a header without a name", { fields: [`content-length: ${BODY.length}`, ": x"] }, [400]],
  ["NUL in a header", { fields: [`content-length: ${BODY.length}`, "x-a: a\0b"] }, [400]],
  ["a lone CR in a header", { fields: [`content-length: ${BODY.length}`, "x-a: a\rb"] }, [400]],
  ["NUL in the target", { line: "POST /api/products\0 HTTP/1.1" }, [400]],
  ["TLS instead of HTTP", { line: "\x16\x03\x01\x02\x00\x01\x00" }, [400]],
];

test.each(LINES)("%s is refused, and writes nothing", async (_name, parts, statuses) => {
  const before = await count();
  const answers = await raw(request(parts));
  // A CONNECT is closed without a word by a server that is no proxy.
  if (parts.line?.startsWith("CONNECT") !== true) expect(answers.length).toBeGreaterThan(0);
  for (const { status } of answers) expect(statuses).toContain(status);
  expect(await count()).toBe(before);
});

test("an absolute-form target of our own host is served by its own policy alone", async () => {
  const line = `GET http://localhost:${port}/api/products HTTP/1.1`;
  const [good] = await raw(request({ line, fields: [], body: "" }));
  expect([200, 400, 404]).toContain(good?.status);
  const [stranger] = await raw(`${line}\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`);
  expect([400, 401, 404]).toContain(stranger?.status);
});

test("an absolute-form target cannot bring a Host past the check", async () => {
  const [answer] = await raw(
    `GET http://example.com/api/products HTTP/1.1\r\nhost: localhost:${port}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
  );
  expect([200, 400, 404, 421]).toContain(answer?.status);
  const [other] = await raw(
    `GET http://localhost:${port}/api/products HTTP/1.1\r\nhost: example.com\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
  );
  expect([400, 421]).toContain(other?.status);
});

test("pipelined requests are answered in order, each by its own policy", async () => {
  const host = `host: localhost:${port}\r\n`;
  const answers = await raw(
    [
      `GET /health/live HTTP/1.1\r\n${host}\r\n`,
      `GET /api/products HTTP/1.1\r\n${host}\r\n`,
      `GET /api/products HTTP/1.1\r\n${host}authorization: Bearer ${token}\r\n\r\n`,
      `GET /api/products HTTP/1.1\r\n${host}\r\n`,
      `GET /nothing HTTP/1.1\r\n${host}connection: close\r\n\r\n`,
    ].join(""),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 401, 404]);
});

test("what follows a body by its length is a request of its own, without the credential of the one before", async () => {
  const smuggled = `GET /api/auth/me HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`;
  const first = request({ fields: [`content-length: ${BODY.length}`] }).replace(
    "connection: close\r\n",
    "",
  );
  const answers = await raw(first + smuggled);
  expect(answers.map(({ status }) => status)).toEqual([201, 401]);
});

test("a connection that is cut in the middle of a body leaves the server well, and writes nothing", async () => {
  const before = await count();
  const { connect } = await import("node:net");
  await new Promise<void>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(request({ fields: ["content-length: 1000"] }), () => socket.destroy());
    });
    socket.once("close", () => resolve());
  });
  expect((await raw(request({})))[0]?.status).toBe(201);
  expect(await count()).toBe(before + 1);
  expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});
