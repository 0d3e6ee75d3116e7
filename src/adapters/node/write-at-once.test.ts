import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BaseAPIError, BaseAPIHandler, bareKernel, createRouter } from "../../core/index.ts";
import { type NodeServer, serve } from "./serve.ts";

class Handlers extends BaseAPIHandler {
  static override readonly kernel = {
    ...bareKernel,
    responseHeaders: { "x-standing": "1", "cache-control": "no-store" },
  };
}
const open = { requireAuth: false } as const;
const fails = (headers: Record<string, string>) => (): never => {
  throw new BaseAPIError("CONFLICT", "Not now.", { headers });
};
const routes = [
  Handlers.GET(() => "lamp", { path: "/ascii", ...open }),
  Handlers.GET(() => "caf\u00e9", { path: "/latin", ...open }),
  Handlers.GET(() => "\u{1f600}", { path: "/utf8", ...open }),
  Handlers.GET(() => "x".repeat(3_000_000), { path: "/large", ...open }),
  Handlers.GET(
    (context) => {
      context.header("Cache-Control", "max-age=60");
      context.header("set-cookie", "a=1");
      context.header("set-cookie", "b=2");
      return 1;
    },
    { path: "/own", ...open },
  ),
  Handlers.GET(fails({ "x-a": "1\r\nx-injected: 1" }), { path: "/split-value", ...open }),
  Handlers.GET(fails({ "x-a: 1\r\nx-injected": "1" }), { path: "/split-name", ...open }),
  Handlers.GET(fails({ "x-a": "\u{1f600}" }), { path: "/beyond-latin", ...open }),
];

let server: NodeServer;
beforeAll(async () => {
  server = await serve({
    handlers: Handlers,
    router: createRouter(Handlers, routes),
    port: 0,
    drainTimeout: "1s",
    keepAliveTimeout: "7s",
    maxRequestsPerConnection: 9,
  });
});
afterAll(() => server.close());

/** All that comes back on one connection until it ends. */
const talk = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(server.port, "127.0.0.1", () => socket.write(text));
    socket
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("error", reject)
      .on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: h\r\n${more}\r\n`;
const last = (path: string): string => get(path, "connection: close\r\n");

interface Parsed {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Answers are read by their content-length alone, as a client does. */
function parse(text: string): Parsed[] {
  const answers: Parsed[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    const [line = "", ...lines] = rest.slice(0, end).split("\r\n");
    const headers = lines.map((one) => {
      const colon = one.indexOf(": ");
      return [one.slice(0, colon).toLowerCase(), one.slice(colon + 2)] as const;
    });
    const length = Number(headers.find(([name]) => name === "content-length")?.[1]);
    expect(length).toBeGreaterThanOrEqual(0);
    const body = rest.slice(end + 4, end + 4 + length);
    answers.push({ status: Number(line.split(" ")[1]), headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

const namesOf = ({ headers }: Parsed): string[] => headers.map(([name]) => name).sort();
const valueIn = ({ headers }: Parsed, name: string): string | undefined =>
  headers.find(([own]) => own === name)?.[1];

test("an answer says the same whether the connection goes on or ends, but for the connection", async () => {
  for (const path of ["/ascii", "/latin", "/utf8", "/own", "/large", "/nothing"]) {
    const [kept, ended] = parse(await talk(get(path) + last(path)));
    if (kept === undefined || ended === undefined) throw new Error("expected two answers");
    expect(namesOf(kept).filter((name) => name !== "keep-alive")).toEqual(namesOf(ended));
    expect(valueIn(kept, "keep-alive")).toBe("timeout=7, max=9");
    expect([valueIn(kept, "connection"), valueIn(ended, "connection")]).toEqual([
      "keep-alive",
      "close",
    ]);
    expect(kept.status).toBe(ended.status);
    const same = ({ body }: Parsed): string => body.replace(/"(timestamp|requestId)":"[^"]*"/g, "");
    expect(same(kept)).toBe(same(ended));
    expect(Math.abs(Date.parse(valueIn(kept, "date") ?? "") - Date.now())).toBeLessThan(5_000);
  }
});

test("no field stands twice but set-cookie, and a handler's own replaces the standing one", async () => {
  const [own] = parse(await talk(get("/own") + last("/ascii")));
  if (own === undefined) throw new Error("expected an answer");
  expect(valueIn(own, "cache-control")).toBe("max-age=60");
  expect(own.headers.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual([
    "a=1",
    "b=2",
  ]);
  const once = namesOf(own).filter((name) => name !== "set-cookie");
  expect(new Set(once).size).toBe(once.length);
});

test("requests that come at once are answered in their order", async () => {
  const paths = ["/ascii", "/utf8", "/nothing", "/large", "/latin", "/ascii", "/own"];
  const answers = parse(await talk(paths.map((path) => get(path)).join("") + last("/ascii")));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200, 200, 200, 200, 200]);
  expect(answers[3]?.body.length).toBeGreaterThan(3_000_000);
});

test("HTTP/1.0 gets an end, and HEAD no body", async () => {
  const old = await talk("GET /ascii HTTP/1.0\r\nhost: h\r\n\r\n");
  expect(old).toContain("200 OK");
  expect(old.toLowerCase()).toContain("connection: close");
  const head = await talk("HEAD /ascii HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  expect(head.endsWith("\r\n\r\n")).toBe(true);
});

describe("a header that a Response could not have", () => {
  test.each(["/split-value", "/split-name", "/beyond-latin"])("%s is a fault", async (path) => {
    const answers = parse(await talk(get(path) + last("/ascii")));
    expect(answers.map(({ status }) => status)).toEqual([500, 200]);
    for (const answer of answers) expect(namesOf(answer)).not.toContain("x-injected");
  });
});
