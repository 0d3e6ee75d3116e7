import type { IncomingMessage } from "node:http";

/** readIncoming reads a body straight from its connection, counting bytes; the rest of one that is too large stays unread. */
export function readIncoming(
  incoming: IncomingMessage,
  limit: number,
): Promise<Uint8Array | "too-large"> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      incoming.off("data", onData).off("end", onEnd).pause();
      resolve("too-large");
    };
    const onEnd = (): void => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size));
    };
    if (incoming.readableEnded) {
      onEnd();
      return;
    }
    incoming.on("data", onData);
    incoming.on("end", onEnd);
    // A client that goes away closes the message, with an error or without.
    incoming.on("close", () => {
      if (!incoming.readableEnded) reject(new Error("the client went away"));
    });
  });
}
