import type { Server } from "node:http";
import type { Socket } from "node:net";

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
      server.closeIdleConnections();
      // To node:http a connection is not idle before its first request.
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    };
    const sweep = setInterval(closeIdle, 50);
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    closeIdle();
  });
}
