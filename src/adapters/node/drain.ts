import type { Server } from "node:http";
import { Server as NetServer, type Socket } from "node:net";

/**
 * drain waits out the delay, stops listening, lets requests in flight finish, and cuts what is left after the time. Idle connections end at once: those
 * that have answered are asked for again and again, since one is idle only after its last answer.
 */
export async function drain(
  server: Server,
  open: ReadonlySet<Socket>,
  delayMs: number,
  drainMs: number,
): Promise<void> {
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await new Promise<void>((resolve) => {
    const closeIdle = (): void => {
      // To node:http a connection is not idle before its first request, and is once its answer is made, be it on its way still.
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
      if ([...open].every(({ writableLength }) => writableLength === 0)) {
        server.closeIdleConnections();
      }
    };
    const sweep = setInterval(closeIdle, 50);
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    // http's own close begins with those that are idle to it; it is left to end the timer of its time-outs.
    NetServer.prototype.close.call(server, () => {
      clearInterval(sweep);
      clearTimeout(cut);
      server.close();
      resolve();
    });
    closeIdle();
  });
}
