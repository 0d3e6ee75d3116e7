import type { Server } from "node:http";

/**
 * drain waits out the delay, stops listening, lets requests in flight finish, and cuts what is left after the time. Idle connections end at once: those
 * that have answered are asked for again and again, since one is idle only after its last answer.
 */
export async function drain(server: Server, delayMs: number, drainMs: number): Promise<void> {
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  await new Promise<void>((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
