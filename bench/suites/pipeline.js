// What a request costs: the bare servers, Bulwark's open route with its default headers and limits, and the whole stack
// (headers, limits, bearer with session read, role, zod body) beside the same put together from Hono's packages. With our own client, which
// leaves a core to the server; and with autocannon, which is slower than the faster ones of these servers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { runSuite } from "../harness.js";
import { load, textOf } from "../load.js";

const SECONDS = 1;
const CONNECTIONS = 32;
const BODY = JSON.stringify({ name: "Lamp", price: 9.99, category: "home" });

async function startServer(name) {
  const script = new URL("../servers/serve.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, name], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { ...JSON.parse(String(line)), stop: () => child.stdin.end() };
}

const clients = {
  ours: ({ port, ...request }) =>
    load({ port, request: textOf(request), connections: CONNECTIONS, seconds: SECONDS }),

  async autocannon({ port, path, ...request }) {
    const { default: autocannon } = await import("autocannon");
    const url = `http://127.0.0.1:${port}${path}`;
    const before = process.cpuUsage();
    const started = performance.now();
    const result = await autocannon({ url, connections: CONNECTIONS, duration: SECONDS, ...request });
    const { user, system } = process.cpuUsage(before);
    if (result.non2xx > 0 || result.errors > 0) {
      throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} errors`);
    }
    const busy = (user + system) / 1_000 / (performance.now() - started);
    return { perSecond: result.requests.average, busy };
  },
};

async function measure(suite, client) {
  const names = ["node:http", "node-server", "bulwark", "hono"];
  const servers = {};
  for (const name of names) servers[name] = await startServer(name);
  const busy = [];

  const rate = (server, path, method) => async () => {
    const { port, authorization, host } = servers[server];
    const headers = { host: host ?? `127.0.0.1:${port}` };
    if (path !== "/open" && authorization !== undefined) headers.authorization = authorization;
    if (method === "POST") headers["content-type"] = "application/json";
    const body = method === "POST" ? BODY : undefined;
    const result = await client({ port, path, method, headers, body });
    busy.push(Math.round(result.busy * 100));
    return result.perSecond;
  };
  try {
    return await runSuite({
      name: suite,
      unit: "requests/s, 32 connections",
      note: () => `the client was busy ${Math.min(...busy)} to ${Math.max(...busy)} % of the time`,
      cases: {
        "node:http GET": rate("node:http", "/", "GET"),
        "bare server GET": rate("node-server", "/", "GET"),
        "bulwark open GET": rate("bulwark", "/open", "GET"),
        "bulwark stack GET": rate("bulwark", "/products", "GET"),
        "hono stack GET": rate("hono", "/products", "GET"),
        "bare server POST": rate("node-server", "/", "POST"),
        "bulwark stack POST": rate("bulwark", "/products", "POST"),
        "hono stack POST": rate("hono", "/products", "POST"),
      },
      ratios: [
        { case: "bulwark open GET", to: "bare server GET", atLeast: 0.85 },
        { case: "bulwark open GET", to: "node:http GET" },
        { case: "bulwark stack GET", to: "bare server GET", atLeast: 0.55 },
        { case: "bulwark stack GET", to: "node:http GET" },
        { case: "bulwark stack GET", to: "hono stack GET", atLeast: 3 },
        { case: "bulwark stack POST", to: "bare server POST", atLeast: 0.55 },
        { case: "bulwark stack POST", to: "hono stack POST", atLeast: 3 },
      ],
    });
  } finally {
    for (const name of names) servers[name].stop();
  }
}

export const pipeline = () => measure("pipeline", clients.ours);
export const pipelineAutocannon = () => measure("pipeline-autocannon", clients.autocannon);
