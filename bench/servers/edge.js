// One server of the edge suite on @hono/node-server, as a process of its own: `node edge.js CASE`. Prints its port as one
// JSON line, and the microseconds of CPU that it used so far for every line that it reads.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { getRequestListener } from "@hono/node-server";

const PRODUCT = { id: "01a20cea-28b8-727a-9362-1e88e86bbf2d", name: "Lamp", price: 9.99, category: "home" };
const ORIGIN = "https://app.example.com";

async function hono(protect) {
  const { Hono } = await import("hono");
  const app = new Hono();
  if (protect) {
    const { secureHeaders } = await import("hono/secure-headers");
    const { cors } = await import("hono/cors");
    app.use(secureHeaders());
    app.use(cors({ origin: ORIGIN, credentials: true }));
  }
  app.get("/", (c) => c.json(PRODUCT));
  return app.fetch;
}

async function bulwark(protect) {
  const { BaseAPIHandler, bareKernel, createRouter } = await import("../../dist/core/index.js");
  const { apiHeaders } = await import("../../dist/headers/index.js");
  const { createCORSPolicy } = await import("../../dist/cors/index.js");
  class Handler extends BaseAPIHandler {
    static kernel = protect
      ? {
          ...bareKernel,
          responseHeaders: { ...apiHeaders({ hsts: true }), vary: "Origin" },
          cors: createCORSPolicy({ origins: [ORIGIN] }),
        }
      : { ...bareKernel, responseHeaders: {} };
  }
  const route = Handler.GET(() => PRODUCT, { path: "/", requireAuth: false });
  const router = createRouter(Handler, [route]);
  return (request) => router(request, {});
}

const cases = {
  hono: () => hono(false),
  "hono + headers + cors": () => hono(true),
  bulwark: () => bulwark(false),
  "bulwark + headers + CORS": () => bulwark(true),
};

const fetch = await cases[process.argv[2]]();
const server = createServer(getRequestListener(fetch));
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
createInterface({ input: process.stdin })
  .on("line", () => {
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ cpu: user + system })}\n`);
  })
  .on("close", () => process.exit(0));
