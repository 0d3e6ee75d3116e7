import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { sql } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testApp } from "../../support/app.ts";
import { STANDING } from "../../system/edge/support.ts";
import type { RawAnswer } from "../raw-http.ts";
import { CODINGS, type Coding, chunked, message, PACK } from "./support.ts";

const { clock, port, query, raw, reset, signUp } = await testApp();
let token: string;

beforeAll(async () => {
  await reset();
  token = (await signUp()).token;
});
beforeEach(() => clock.advance(1_000));

const PRODUCT = '{"name":"Lamp","price":9.99,"category":"home"}';
/** More than the limit of a body when it is unpacked, and a few hundred bytes as it comes. */
const BOMB = Buffer.alloc(50_000_000, " ");
const MORE = Buffer.alloc(1_048_577, " ");

async function send(
  coding: string,
  body: string | Uint8Array,
  fields: readonly string[] = [`content-length: ${body.length}`],
): Promise<RawAnswer> {
  const all = [
    `host: localhost:${port}`,
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    `content-encoding: ${coding}`,
    ...fields,
  ];
  const [answer] = await raw(message("POST /api/products", all, body));
  if (answer === undefined) throw new Error("no answer came");
  return answer;
}

const count = async (): Promise<number> =>
  (await query(sql`SELECT id FROM reference.products`)).length;

function expectRefused(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject(STANDING);
  expect(JSON.parse(answer.body)).toMatchObject({ success: false, code, statusCode: status });
}

describe.each(CODINGS)("a body in %s", (coding) => {
  test("is taken, in one piece, in chunks of a byte, and in capitals", async () => {
    const body = PACK[coding](PRODUCT);
    expect((await send(coding, body)).status).toBe(201);
    expect((await send(coding.toUpperCase(), body)).status).toBe(201);
    const inChunks = chunked(body, 1);
    expect((await send(coding, inChunks, ["transfer-encoding: chunked"])).status).toBe(201);
  });

  test("may be larger than it came, up to the limit of every body", async () => {
    const blanks = " ".repeat(60_000);
    expect((await send(coding, PACK[coding](PRODUCT + blanks))).status).toBe(201);
    // Blanks in no order pack to a quarter.
    const mixed = [...randomBytes(500_000)].map((byte) => " \t\n\r"[byte & 3]).join("");
    expect((await send(coding, PACK[coding](PRODUCT + mixed))).status).toBe(201);
  });

  test.each<[what: string, body: () => Uint8Array, status: number, code: string]>([
    ["a bomb", () => PACK[coding](BOMB), 413, "PAYLOAD_TOO_LARGE"],
    ["a byte more than the limit", () => PACK[coding](MORE), 413, "PAYLOAD_TOO_LARGE"],
    [
      "a hundred times its size and more",
      () => PACK[coding](" ".repeat(200_000)),
      413,
      "PAYLOAD_TOO_LARGE",
    ],
    ["itself packed again", () => PACK[coding](PACK[coding](PRODUCT)), 400, "INVALID_REQUEST"],
    ["a stream cut off", () => PACK[coding](PRODUCT).subarray(0, -1), 400, "INVALID_REQUEST"],
    ["a first byte alone", () => PACK[coding](PRODUCT).subarray(0, 1), 400, "INVALID_REQUEST"],
    [
      "a second stream",
      () => Buffer.concat([PACK[coding](PRODUCT), PACK[coding](PRODUCT)]),
      400,
      "INVALID_REQUEST",
    ],
    [
      "an empty stream before it",
      () => Buffer.concat([PACK[coding](""), PACK[coding](PRODUCT)]),
      400,
      "INVALID_REQUEST",
    ],
    [
      "zeros behind it",
      () => Buffer.concat([PACK[coding](PRODUCT), Buffer.alloc(100)]),
      400,
      "INVALID_REQUEST",
    ],
    ["what is not packed", () => Buffer.from(PRODUCT), 400, "INVALID_REQUEST"],
    ["JSON that is cut off", () => PACK[coding](PRODUCT.slice(0, 20)), 400, "INVALID_REQUEST"],
    ["a key twice", () => PACK[coding]('{"a":1,"a":2}'), 400, "INVALID_REQUEST"],
  ])("that holds %s is refused, and writes nothing", async (_what, make, status, code) => {
    const before = await count();
    expectRefused(await send(coding, make()), status, code);
    expect(await count()).toBe(before);
  });

  // A limit that is kept per piece is never reached by small ones.
  test("in pieces that each unpack to little is counted as a whole", async () => {
    const body = chunked(PACK[coding](BOMB), 7);
    expectRefused(
      await send(coding, body, ["transfer-encoding: chunked"]),
      413,
      "PAYLOAD_TOO_LARGE",
    );
  });

  test("that is no bytes at all is no body", async () => {
    expectRefused(await send(coding, ""), 400, "VALIDATION_ERROR");
  });
});

test("what is more than the limit as it comes is refused before it is unpacked", async () => {
  const body = PACK.gzip(randomBytes(1_060_000));
  expectRefused(await send("gzip", body), 413, "PAYLOAD_TOO_LARGE");
  const inChunks = chunked(body, 50_000);
  expectRefused(
    await send("gzip", inChunks, ["transfer-encoding: chunked"]),
    413,
    "PAYLOAD_TOO_LARGE",
  );
});

test("gzip goes by its old name too, and deflate is not the raw format", async () => {
  expect((await send("x-gzip", PACK.gzip(PRODUCT))).status).toBe(201);
  expectRefused(await send("deflate", deflateRawSync(PRODUCT)), 400, "INVALID_REQUEST");
});

const twice = (coding: Coding): Buffer => PACK[coding](PACK[coding](PRODUCT));

test.each<[coding: string, body: Uint8Array]>([
  ["gzip, gzip", twice("gzip")],
  ["br, gzip", PACK.gzip(PACK.br(PRODUCT))],
  ["identity, gzip", PACK.gzip(PRODUCT)],
  ["zstd", Buffer.from(PRODUCT)],
  ["compress", Buffer.from(PRODUCT)],
  ["*", PACK.gzip(PRODUCT)],
  ["gzip;q=1", PACK.gzip(PRODUCT)],
])("%s is 415, and says what is taken", async (coding, body) => {
  const answer = await send(coding, body);
  expectRefused(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
  expect(answer.headers["accept-encoding"]).toBe("gzip, deflate, br, identity");
});

test("two fields that name a coding are several, and 415", async () => {
  const body = twice("gzip");
  const fields = ["content-encoding: gzip", `content-length: ${body.length}`];
  expectRefused(await send("gzip", body, fields), 415, "UNSUPPORTED_MEDIA_TYPE");
});

describe("a handler that reads the body by itself", () => {
  const report = JSON.stringify([
    {
      type: "csp-violation",
      age: 1,
      url: `http://localhost:${port}/`,
      user_agent: "x",
      body: { documentURL: `http://localhost:${port}/`, effectiveDirective: "img-src" },
    },
  ]);
  const sendReport = async (coding: string, body: Uint8Array): Promise<RawAnswer> => {
    const fields = [
      `host: localhost:${port}`,
      "content-type: application/reports+json",
      `content-encoding: ${coding}`,
      `content-length: ${body.length}`,
    ];
    const [answer] = await raw(message("POST /api/reports", fields, body));
    if (answer === undefined) throw new Error("no answer came");
    return answer;
  };

  test.each(CODINGS)("sees it unpacked from %s, or not at all", async (coding) => {
    expect((await sendReport(coding, PACK[coding](report))).status).toBe(204);
    const bomb = PACK[coding](Buffer.alloc(1_000_000, " "));
    expectRefused(await sendReport(coding, bomb), 413, "PAYLOAD_TOO_LARGE");
    const cut = PACK[coding](report).subarray(0, -2);
    expectRefused(await sendReport(coding, cut), 400, "INVALID_REQUEST");
  });

  test("is not asked for what nobody can unpack", async () => {
    expectRefused(await sendReport("zstd", Buffer.from(report)), 415, "UNSUPPORTED_MEDIA_TYPE");
  });
});

test.each(["GET", "HEAD"])("a packed body of %s is not looked at", async (method) => {
  const body = PACK.gzip(BOMB);
  const fields = [
    `host: localhost:${port}`,
    `authorization: Bearer ${token}`,
    "content-encoding: gzip",
    `content-length: ${body.length}`,
  ];
  const [answer] = await raw(message(`${method} /api/products`, fields, body));
  expect(answer?.status).toBe(200);
});
