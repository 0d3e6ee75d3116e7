import { beforeEach, describe, expect, test } from "vitest";
import { addressList, withAddressList } from "./address-list.ts";
import { plainHttpReader } from "./client-address.ts";
import { BaseAPIHandler } from "./handler.ts";
import { bareKernel, type Kernel, type RefusalReason } from "./kernel.ts";
import { createRouter } from "./router.ts";

const refused: [reason: RefusalReason, address: string | undefined][] = [];
const recorded: string[] = [];
const logged: unknown[] = [];
let ran = 0;
beforeEach(() => {
  refused.length = 0;
  recorded.length = 0;
  logged.length = 0;
  ran = 0;
});

const HSTS = "strict-transport-security";
const base: Kernel = {
  ...bareKernel,
  responseHeaders: { ...bareKernel.responseHeaders, [HSTS]: "max-age=1" },
  edgeRefused: (reason, address) => void refused.push([reason, address]),
  audit: { record: async ({ type }) => void recorded.push(type) },
  log: { info: () => {}, warn: () => {}, error: (facts: unknown) => void logged.push(facts) },
};

const ok = (): string => {
  ran += 1;
  return "ok";
};

/** An application with one route of each kind. */
function application(change: Partial<Kernel>) {
  class Handlers extends BaseAPIHandler {
    static override readonly kernel = { ...base, ...change };
  }
  const open = { requireAuth: false } as const;
  const probe = { ...open, insecureAnyHost: true } as const;
  const routes = [
    Handlers.GET(ok, { ...open, path: "/things" }),
    Handlers.POST(ok, { ...open, path: "/things" }),
    Handlers.GET(() => new Response(`<p>${ok()}`, { headers: { "content-type": "text/html" } }), {
      ...open,
      path: "/page",
      produces: ["text/html"],
    }),
    Handlers.GET(ok, { ...probe, path: "/live", insecureUnlimited: true }),
    Handlers.GET(ok, { ...probe, path: "/metrics" }),
    Handlers.GET(withAddressList({ allow: ["192.0.2.0/24"] })(ok), { ...open, path: "/admin" }),
  ];
  const router = createRouter(Handlers, routes);
  return async (
    line: string,
    { peer, headers = {} }: { peer?: string; headers?: Record<string, string> } = {},
  ) => {
    const [method = "GET", path = "/"] = line.split(" ");
    const accept = { accept: "*/*" };
    const url = `http://a.example${path}`;
    return router(new Request(url, { method, headers: { ...accept, ...headers } }), { peer });
  };
}

describe("above the load that the process can bear", () => {
  const load = { isShedding: true };
  const call = application({ load });

  test.each(["GET /things", "HEAD /things", "POST /things", "GET /page", "GET /nothing"])(
    "%s is 503 with Retry-After, before anything else",
    async (line) => {
      const { status, headers } = await call(line);
      expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(ran).toBe(0);
      expect(refused).toEqual([["overload", undefined]]);
      expect([recorded, logged]).toEqual([[], []]);
    },
  );

  test("the refusal has its form, and a HEAD no body", async () => {
    expect(await (await call("GET /things")).json()).toMatchObject({
      success: false,
      code: "SERVICE_UNAVAILABLE",
    });
    expect(await (await call("HEAD /things")).text()).toBe("");
  });

  test.each(["GET /live", "GET /metrics"])("%s is served", async (line) => {
    expect((await call(line)).status).toBe(200);
  });

  test("and all is served again as soon as it is over", async () => {
    load.isShedding = false;
    expect((await call("GET /things")).status).toBe(200);
    load.isShedding = true;
  });
});

describe("an address that is not admitted", () => {
  const call = application({
    addresses: addressList({ allow: ["192.0.2.0/24"], deny: ["192.0.2.66"] }),
  });

  test.each<[line: string, peer: string | undefined, status: number]>([
    ["GET /things", "192.0.2.1", 200],
    ["GET /things", "192.0.3.1", 403],
    ["GET /things", "192.0.2.66", 403],
    ["GET /things", undefined, 403],
    ["GET /nothing", "192.0.3.1", 403],
    ["GET /page", "192.0.3.1", 403],
    ["GET /metrics", "192.0.3.1", 403],
    // A probe comes from wherever the orchestrator is; but whoever is denied is denied.
    ["GET /live", "192.0.3.1", 200],
    ["GET /live", undefined, 200],
    ["GET /live", "192.0.2.66", 403],
  ])("%s from %s is %d", async (line, peer, status) => {
    const answer = await call(line, peer === undefined ? {} : { peer });
    expect(answer.status).toBe(status);
    expect(refused).toEqual(status === 403 ? [["address", peer]] : []);
    // Counted and logged, but nothing is written by whoever is kept out.
    expect(recorded).toEqual([]);
  });
});

test("a list on one route refuses behind authentication, and the refusal is recorded", async () => {
  const call = application({});
  expect((await call("GET /admin", { peer: "192.0.2.1" })).status).toBe(200);
  const answer = await call("GET /admin", { peer: "198.51.100.1" });
  expect(await answer.json()).toMatchObject({ code: "FORBIDDEN" });
  expect((await call("GET /admin")).status).toBe(403);
  expect(recorded).toEqual(["access.denied", "access.denied"]);
  expect(refused).toEqual([
    ["address", "198.51.100.1"],
    ["address", undefined],
  ]);
  expect((await call("GET /things", { peer: "198.51.100.1" })).status).toBe(200);
});

describe("what a trusted proxy says came over plain http", () => {
  const cameAsHttp = plainHttpReader({ trustedProxies: ["10.0.0.0/8"] });
  const call = application({ https: { origin: "https://api.example.com", cameAsHttp } });
  const plain = { peer: "10.0.0.1", headers: { "x-forwarded-proto": "http" } };

  test.each(["GET /things", "HEAD /things", "POST /things", "GET /admin", "POST /page", "GET /no"])(
    "%s is refused, and not sent elsewhere",
    async (line) => {
      const { status, headers } = await call(line, plain);
      expect(status).toBe(403);
      expect(headers.has("location")).toBe(false);
      expect(ran).toBe(0);
      expect(recorded).toEqual([]);
    },
  );

  test.each([
    ["GET /page", "https://api.example.com/page"],
    ["HEAD /page", "https://api.example.com/page"],
    ["GET /page?a=%20b&c=//evil.example", "https://api.example.com/page?a=%20b&c=//evil.example"],
  ])("%s, a page, is sent to the issuer's own address", async (line, location) => {
    const { status, headers } = await call(line, {
      ...plain,
      headers: { ...plain.headers, host: "evil.example", "x-forwarded-host": "evil.example" },
    });
    expect([status, headers.get("location")]).toEqual([308, location]);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(ran).toBe(0);
  });

  // RFC 6797 section 7.2.
  test("is told nothing of HSTS, which is told over https", async () => {
    expect((await call("GET /page", plain)).headers.has(HSTS)).toBe(false);
    expect((await call("GET /things", plain)).headers.has(HSTS)).toBe(false);
    expect((await call("GET /things", { peer: "10.0.0.1" })).headers.has(HSTS)).toBe(true);
  });

  test.each(["GET /live", "GET /metrics"])("%s is served", async (line) => {
    expect((await call(line, plain)).status).toBe(200);
  });

  test.each([
    ["a stranger says it", { ...plain, peer: "192.0.2.1" }],
    ["it came over https", { ...plain, headers: { "x-forwarded-proto": "https" } }],
    ["nothing is said", { peer: "10.0.0.1" }],
    ["the peer is not known", { headers: plain.headers }],
  ])("nothing changes where %s", async (_what, from) => {
    expect((await call("GET /things", from)).status).toBe(200);
    expect((await call("GET /page", from)).status).toBe(200);
    expect(refused).toEqual([]);
  });
});
