// What all headers and CORS add to a GET on @hono/node-server, in CPU of the server's process: the elapsed time of a busy
// machine says less. Every request has an Origin that is listed.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import autocannon from "autocannon";
import { json, runSuite } from "../harness.js";

const REQUESTS = 8_000;
const NAMES = ["hono", "hono + headers + cors", "bulwark", "bulwark + headers + CORS"];

async function startServer(name) {
  const script = new URL("../servers/edge.js", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, name], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => JSON.parse((await lines.next()).value);
  const { port } = await read();
  const cpu = async () => {
    child.stdin.write("\n");
    return (await read()).cpu;
  };
  return { port, cpu, stop: () => child.stdin.end() };
}

export async function edge() {
  const servers = {};
  for (const name of NAMES) servers[name] = await startServer(name);
  const load = (name) => async () => {
    const { port, cpu } = servers[name];
    const before = await cpu();
    const result = await autocannon({
      url: `http://127.0.0.1:${port}/`,
      connections: 16,
      amount: REQUESTS,
      headers: { origin: "https://app.example.com" },
    });
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${name}: requests failed`);
    return (REQUESTS * 1_000_000) / ((await cpu()) - before);
  };
  try {
    const result = await runSuite({
      name: "edge",
      unit: "requests per second of CPU",
      cases: Object.fromEntries(NAMES.map((name) => [name, load(name)])),
      ratios: [
        { case: "bulwark + headers + CORS", to: "bulwark" },
        { case: "hono + headers + cors", to: "hono" },
      ],
    });
    const micros = (name) => 1_000_000 / result.figures[name].median;
    const added = micros("bulwark + headers + CORS") - micros("bulwark");
    const honos = micros("hono + headers + cors") - micros("hono");
    if (!json) {
      process.stdout.write(
        `  headers + CORS add ${added.toFixed(1)} us of CPU a request (Hono's own ${honos.toFixed(1)})   <= 8 ${added <= 8 ? "met" : "NOT MET"}\n`,
      );
    }
    return { ...result, addedMicros: added, honoAddedMicros: honos };
  } finally {
    for (const name of NAMES) servers[name].stop();
  }
}
