// One server of the pipeline suite, as a process of its own: `node serve.js CASE`. Prints its port, and what a client
// needs to call it, as one JSON line.
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";

const PRODUCT = { id: "01a20cea-28b8-727a-9362-1e88e86bbf2d", name: "Lamp", price: 9.99, category: "home" };
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const listen = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
const announce = (facts) => process.stdout.write(`${JSON.stringify(facts)}\n`);

/** Reads a JSON body from a Node request. */
const bodyOf = (incoming) =>
  new Promise((resolve) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
  });

const cases = {
  async "node:http"() {
    const server = createServer(async (incoming, outgoing) => {
      const body = incoming.method === "POST" ? await bodyOf(incoming) : PRODUCT;
      const text = JSON.stringify(body);
      outgoing.writeHead(200, { ...JSON_TYPE, "content-length": Buffer.byteLength(text) }).end(text);
    });
    announce({ port: await listen(server), path: "/" });
  },

  async "node-server"() {
    const answer = (body) => new Response(JSON.stringify(body), { headers: JSON_TYPE });
    const listener = getRequestListener((request) =>
      request.method === "POST" ? request.json().then(answer) : answer(PRODUCT),
    );
    announce({ port: await listen(createServer(listener)), path: "/" });
  },

  async bulwark() {
    const { createRouter, createBulwark, requireRoles } = await import("../../dist/index.js");
    const { serve } = await import("../../dist/adapters/node/index.js");
    const { z } = await import("zod");
    const limits = { address: "address", anonymous: "anonymous", user: "user" };
    const bulwark = createBulwark({
      mode: "development",
      issuer: "http://localhost:1",
      hosts: ["127.0.0.1:3000"],
      database: { insecureInMemory: true },
      // So many that no request of the run is refused; every one is counted.
      limits: Object.fromEntries(
        Object.keys(limits).map((name) => [name, { requests: 1_000_000_000, window: "1m" }]),
      ),
    });
    await bulwark.ready();
    const { AuthenticatedAPIHandler } = bulwark.handlers;
    const open = AuthenticatedAPIHandler.GET(() => PRODUCT, { path: "/open", requireAuth: false });
    const product = z.strictObject({ name: z.string().max(200), price: z.number().min(0), category: z.string() });
    const get = AuthenticatedAPIHandler.GET(
      requireRoles("admin")(() => PRODUCT),
      { path: "/products", requireAuth: true },
    );
    const post = AuthenticatedAPIHandler.POST(
      requireRoles("admin")((context) => context.body),
      { path: "/products", requireAuth: true, body: product },
    );
    const router = createRouter(AuthenticatedAPIHandler, [open, get, post]);
    const input = { email: "admin@example.com", password: "correct horse battery", name: "Admin" };
    await bulwark.registration.createUser(input, { roles: ["admin"], verified: true }, {});
    const { accessToken } = await bulwark.auth.login(input, {});
    const { port } = await serve({ handlers: AuthenticatedAPIHandler, router, port: 0 });
    announce({ port, path: "/open", authorization: `Bearer ${accessToken}`, host: "127.0.0.1:3000" });
  },

  async hono() {
    const { Hono } = await import("hono");
    const { secureHeaders } = await import("hono/secure-headers");
    const { cors } = await import("hono/cors");
    const { rateLimiter } = await import("hono-rate-limiter");
    const { SignJWT, jwtVerify } = await import("jose");
    const { z } = await import("zod");
    const key = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
    const product = z.strictObject({ name: z.string().max(200), price: z.number().min(0), category: z.string() });
    const sessions = new Map([["s1", { roles: ["admin"] }]]);
    const app = new Hono();
    app.use(secureHeaders());
    app.use(cors({ origin: "https://app.example.com" }));
    app.use(rateLimiter({ windowMs: 60_000, limit: 1_000_000_000, keyGenerator: () => "127.0.0.1" }));
    app.use(async (c, next) => {
      const token = c.req.header("authorization")?.slice(7) ?? "";
      const { payload } = await jwtVerify(token, key, { issuer: "i", audience: "i", algorithms: ["HS256"] });
      const session = sessions.get(payload.sid);
      if (session?.roles.includes("admin") !== true) return c.json({ error: "forbidden" }, 403);
      await next();
    });
    app.get("/products", (c) => c.json(PRODUCT));
    app.post("/products", async (c) => c.json(product.parse(await c.req.json())));
    const token = await new SignJWT({ sid: "s1" })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("i")
      .setAudience("i")
      .setExpirationTime("1h")
      .sign(key);
    const port = await listen(createServer(getRequestListener(app.fetch)));
    announce({ port, path: "/products", authorization: `Bearer ${token}` });
  },
};

await cases[process.argv[2]]();
process.stdin.resume().on("end", () => process.exit(0));
