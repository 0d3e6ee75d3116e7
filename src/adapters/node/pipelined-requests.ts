import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { NodeRequest } from "./node-request.ts";

/**
 * PipelinedRequests counts the requests of each connection that came before the answer of the one in front of them was sent. A client
 * may send as many as it likes before it reads, and each would be worked on, and its answer kept. What nobody waits for any more is
 * aborted as the connection closes, of which node:http tells only the answer in front.
 */
export class PipelinedRequests {
  readonly #most: number;
  readonly #bySocket = new WeakMap<Socket, Set<NodeRequest>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** add returns false where there are too many already. */
  add(socket: Socket, request: NodeRequest, outgoing: ServerResponse): boolean {
    let requests = this.#bySocket.get(socket);
    if (requests === undefined) {
      const all = new Set<NodeRequest>();
      requests = all;
      this.#bySocket.set(socket, all);
      socket.once("close", () => {
        for (const each of all) each.clientLeft();
      });
    }
    // The one in front of them is in flight as well.
    if (requests.size + 1 >= this.#most) return false;
    const waiting = requests;
    waiting.add(request);
    outgoing.once("close", () => waiting.delete(request));
    return true;
  }
}
