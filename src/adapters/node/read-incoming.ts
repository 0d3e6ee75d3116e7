import type { IncomingMessage, ServerResponse } from "node:http";
import { BaseAPIError } from "../../core/index.ts";
import { askForBody } from "./ask-for-body.ts";
import type { StallWatch } from "./stall-watch.ts";

/** stalled is what a body fails with that does not come on, 408 (RFC 9110 section 15.5.9); its answer is the connection's last. */
export function stalled(outgoing: ServerResponse): BaseAPIError {
  outgoing.shouldKeepAlive = false;
  return new BaseAPIError("REQUEST_TIMEOUT", "The body did not arrive in time.");
}

/**
 * readIncoming reads a body straight from its connection, counting bytes; the rest of one that is too large stays unread. Rejects with
 * REQUEST_TIMEOUT where nothing of it comes for the watch's time.
 */
export function readIncoming(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  limit: number,
  bodies: StallWatch,
): Promise<Uint8Array | "too-large"> {
  askForBody(incoming, outgoing);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      watched.end();
      incoming.off("data", onData).off("end", onEnd).pause();
    };
    const onData = (chunk: Buffer): void => {
      watched.touch();
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      stop();
      resolve("too-large");
    };
    const onEnd = (): void => {
      watched.end();
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size));
    };
    const watched = bodies.watch(() => {
      stop();
      reject(stalled(outgoing));
    });
    if (incoming.readableEnded) {
      onEnd();
      return;
    }
    incoming.on("data", onData);
    incoming.on("end", onEnd);
    // A client that goes away closes the message, with an error or without.
    incoming.on("close", () => {
      watched.end();
      if (!incoming.readableEnded) reject(new Error("the client went away"));
    });
  });
}
