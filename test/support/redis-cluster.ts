import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { findBinary } from "../../scripts/services.js";
import { freePort } from "./app.ts";
import { ownRedis, type Service } from "./services.ts";

/** A cluster of three nodes without replicas, on loopback. */
export interface RedisCluster {
  readonly nodes: readonly Service[];
  readonly password: string;
  readonly stop: () => Promise<void>;
}

/** startCluster starts three nodes and joins them; undefined where redis-server or redis-cli is not installed. */
export async function startCluster(): Promise<RedisCluster | undefined> {
  const cli = findBinary("redis-cli");
  if (cli === undefined) return undefined;
  const password = "cluster";
  const nodes: Service[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < 3; index += 1) {
      // The bus would be 10,000 ports above, which a port of this range has not.
      const settings = [
        "cluster-enabled yes",
        `cluster-port ${await freePort()}`,
        "cluster-node-timeout 5000",
      ];
      const node = await ownRedis({ password, settings });
      if (node === undefined) return undefined;
      nodes.push(node);
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "0"];
    const ask = (...args: readonly string[]): string =>
      execFileSync(cli, ["-a", password, "--no-auth-warning", ...args], {
        stdio: "pipe",
        timeout: 60_000,
        encoding: "utf8",
      });
    ask(...create, "--cluster-yes");
    // The last to hear that all slots are served may be a moment late.
    for (const { port } of nodes) {
      while (!ask("-p", String(port), "cluster", "info").includes("cluster_state:ok")) {
        await sleep(50);
      }
    }
    return { nodes, password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
