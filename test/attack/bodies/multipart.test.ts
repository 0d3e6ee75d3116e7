import { afterAll, beforeAll, expect, test } from "vitest";
import { type NodeServer, serve } from "../../../src/adapters/node/index.ts";
import { BaseAPIHandler, createRouter } from "../../../src/core/index.ts";
import { readMultipart } from "../../../src/multipart/index.ts";
import { exchange, type RawAnswer } from "../raw-http.ts";
import { chunked, message, PACK } from "./support.ts";

const LIMIT = 100_000;
let server: NodeServer;
let seen: number;

beforeAll(async () => {
  const policy = { requireAuth: false, maxBodyBytes: LIMIT } as const;
  const upload = BaseAPIHandler.POST(
    async ({ request }) => {
      seen = 0;
      const sizes: number[] = [];
      for await (const part of readMultipart(request, { partBytes: 50_000 })) {
        seen += 1;
        sizes.push((await part.bytes()).byteLength);
      }
      return sizes;
    },
    { path: "/parts", ...policy },
  );
  const form = BaseAPIHandler.POST(
    async ({ request }) => [...(await request.formData()).keys()].length,
    { path: "/form", ...policy },
  );
  const router = createRouter(BaseAPIHandler, [upload, form]);
  server = await serve({ handlers: BaseAPIHandler, router, port: 0 });
});
afterAll(() => server.close());

const part = (content: string): string =>
  `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n${content}\r\n`;
const END = "--b--\r\n";

async function send(
  path: string,
  body: string | Uint8Array,
  fields: readonly string[] = [],
): Promise<RawAnswer> {
  const bytes = Buffer.from(body);
  const all = [
    "host: h",
    "content-type: multipart/form-data; boundary=b",
    ...fields,
    "transfer-encoding: chunked",
  ];
  const [answer] = await exchange(server.port, message(`POST ${path}`, all, chunked(bytes, 997)));
  if (answer === undefined) throw new Error("no answer came");
  return answer;
}

test.each<[what: string, body: string, status: number, parts: number]>([
  ["two parts", part("x") + part("y".repeat(50_000)) + END, 200, 2],
  ["twenty parts", part("x").repeat(20) + END, 200, 20],
  ["a part too many", part("x").repeat(21) + END, 413, 20],
  ["a thousand parts", part("x").repeat(1_000) + END, 413, 20],
  ["a part that is too large", part("x".repeat(50_001)) + END, 413, 1],
  ["more than the body may be", part("x".repeat(40_000)).repeat(3) + END, 413, 3],
  ["a header that never ends", `--b\r\nX: ${"x".repeat(90_000)}`, 400, 0],
  ["a body that is cut off", part("x") + part("y").slice(0, -2), 400, 2],
  ["something behind the end", part("x") + END + part("y"), 400, 1],
])("%s", async (_what, body, status, parts) => {
  const answer = await send("/parts", body);
  expect(answer.status).toBe(status);
  expect(seen).toBe(parts);
});

test("a packed form is unpacked within the same limits", async () => {
  const gzip = ["content-encoding: gzip"];
  expect((await send("/parts", PACK.gzip(part("x".repeat(49_000)) + END), gzip)).status).toBe(200);
  const bomb = PACK.gzip(part("x".repeat(10_000_000)) + END);
  expect((await send("/parts", bomb, gzip)).status).toBe(413);
});

test("a form that the handler reads whole is counted too", async () => {
  expect((await send("/form", part("x".repeat(90_000)) + END)).status).toBe(200);
  expect((await send("/form", part("x".repeat(110_000)) + END)).status).toBe(413);
});

test("what is no form is 415, and says what is taken", async () => {
  const [answer] = await exchange(
    server.port,
    message(
      "POST /parts",
      ["host: h", "content-type: application/json", "content-length: 2"],
      "{}",
    ),
  );
  expect(answer?.status).toBe(415);
  expect(answer?.headers["accept"]).toBe("multipart/form-data");
});
