import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";

/** A server in a process of its own, made of a text that prints its URL; it is `children`'s to end. */
export async function serveInChild(
  code: string,
  env: Readonly<Record<string, string>>,
  children: ChildProcess[],
): Promise<string> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const ended = once(child, "exit").then(() => {
    throw new Error("the process ended");
  });
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  return String(line).trim();
}

/** A connection for each request: none is reused while the server gives it up. */
export function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", reject);
    });
    asked.on("error", reject);
  });
}
