import type { IncomingMessage, ServerResponse } from "node:http";

/** How much of a body that nobody wants is taken from the wire so that its connection can go on, and for how long. */
const MAX_DROPPED_BYTES = 16_777_216;
const MAX_DROPPING_MS = 500;

/**
 * dropBody takes what is left of a body off the connection once its answer is sent, so that the connection can be used again; a
 * client that sends too much or too slowly is cut.
 */
export function dropBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  // Before node:http's own listener, which would take the rest of it without any bound.
  outgoing.prependOnceListener("finish", () => {
    if (incoming.readableEnded || incoming.destroyed) return;
    const { socket } = incoming;
    // Whoever still waits for a part of it gets no more.
    incoming.removeAllListeners("readable").removeAllListeners("data");
    let left = MAX_DROPPED_BYTES;
    const timer = setTimeout(() => socket.destroy(), MAX_DROPPING_MS);
    if (!outgoing.shouldKeepAlive) {
      // A connection that is closed with bytes unread is reset, and its answer lost with it.
      const close = socket.destroySoon.bind(socket);
      socket.destroySoon = () => void socket.end();
      incoming.once("close", close);
    }
    incoming.on("data", (chunk: Buffer) => {
      left -= chunk.byteLength;
      if (left < 0) socket.destroy();
    });
    incoming.once("close", () => clearTimeout(timer));
    // That its client goes away now is no news.
    incoming.on("error", () => {});
    incoming.resume();
    // Marks it as being read: one that nobody ever read is emptied by node:http behind our back.
    incoming.read(0);
  });
}
