import type { Socket } from "node:net";

/** PendingRequests counts the requests of each connection that wait for their answers: a client may send as many as it likes before it reads. */
export class PendingRequests {
  readonly #most: number;
  readonly #bySocket = new WeakMap<Socket, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** add returns false, and counts all the same, where there are too many. */
  add(socket: Socket): boolean {
    const count = (this.#bySocket.get(socket) ?? 0) + 1;
    this.#bySocket.set(socket, count);
    return count <= this.#most;
  }

  remove(socket: Socket): void {
    this.#bySocket.set(socket, (this.#bySocket.get(socket) ?? 1) - 1);
  }
}
