import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A wire between a client and a server, which a test can cut. */
export interface TcpProxy {
  readonly port: number;
  /** cut ends all connections and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** stall keeps the connections that there are open and carries nothing more on them; new ones are served. */
  stall(): void;
}

export async function tcpProxy(target: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const port = await listen(0);
  return {
    port,
    cut: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
    restore: async () => {
      await listen(port);
    },
    stall: () => {
      for (const socket of open) socket.unpipe().pause();
    },
  };
}
