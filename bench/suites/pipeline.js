// What a request costs: the bare servers, Bulwark's open route with its default headers and limits, and the whole stack
// (headers, limits, bearer with session read, role, zod body) beside the same put together from Hono's packages.
import { spawn } from "node:child_process";
import { once } from "node:events";
import autocannon from "autocannon";
import { runSuite } from "../harness.js";

const SECONDS = 1;
const BODY = JSON.stringify({ name: "Lamp", price: 9.99, category: "home" });

async function startServer(name) {
  const script = new URL("../servers/serve.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, name], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { ...JSON.parse(String(line)), stop: () => child.stdin.end() };
}

export async function pipeline() {
  const names = ["node:http", "node-server", "bulwark", "hono"];
  const servers = {};
  for (const name of names) servers[name] = await startServer(name);

  const load = (server, path, method) => async () => {
    const { port, authorization, host } = servers[server];
    const result = await autocannon({
      url: `http://127.0.0.1:${port}${path}`,
      connections: 32,
      duration: SECONDS,
      method,
      headers: {
        ...(host === undefined ? {} : { host }),
        ...(path === "/open" || authorization === undefined ? {} : { authorization }),
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
      },
      ...(method === "POST" ? { body: BODY } : {}),
    });
    if (result.non2xx > 0 || result.errors > 0) {
      throw new Error(`${server} ${method} ${path}: ${result.non2xx} refused, ${result.errors} errors`);
    }
    return result.requests.average;
  };
  try {
    return await runSuite({
      name: "pipeline",
      unit: "requests/s, 32 connections",
      cases: {
        "node:http GET": load("node:http", "/", "GET"),
        "bare server GET": load("node-server", "/", "GET"),
        "bulwark open GET": load("bulwark", "/open", "GET"),
        "bulwark stack GET": load("bulwark", "/products", "GET"),
        "hono stack GET": load("hono", "/products", "GET"),
        "bare server POST": load("node-server", "/", "POST"),
        "bulwark stack POST": load("bulwark", "/products", "POST"),
        "hono stack POST": load("hono", "/products", "POST"),
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
