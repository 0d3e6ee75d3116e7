import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Kernel } from "../../core/index.ts";

/** What node:net knows of bytes that the kernel has not taken. Not documented, and so only looked at where it is there. */
interface Handle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

const LOOKS = 6;

/**
 * cutStalledReaders closes connections whose client took none of its answer for the whole time. Each is looked at six times within
 * it, by one timer that is stopped as the server closes.
 */
export function cutStalledReaders(server: Server, kernel: Kernel, timeoutMs: number): void {
  const sockets = new Map<Socket, { mark: string; looks: number }>();
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, { mark: "", looks: 0 });
    socket.once("close", () => sockets.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, seen] of sockets) {
      const waiting = socket.writableLength;
      const mark = waiting === 0 ? "" : markOf(socket);
      seen.looks = mark !== "" && mark === seen.mark ? seen.looks + 1 : 0;
      seen.mark = mark;
      if (seen.looks < LOOKS) continue;
      kernel.edgeRefused?.("slow_reader");
      socket.destroy();
    }
  }, timeoutMs / LOOKS);
  timer.unref();
  server.once("close", () => clearInterval(timer));
}

/** Differs as soon as anything was taken, be it a part of one write. */
const markOf = (socket: Socket): string =>
  `${socket.bytesWritten} ${socket.writableLength} ${(socket as Handle)._handle?.writeQueueSize}`;
