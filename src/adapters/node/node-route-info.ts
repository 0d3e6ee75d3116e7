import type { IncomingMessage } from "node:http";
import type { RouteInfo } from "../../core/index.ts";
import { readIncoming } from "./read-incoming.ts";

/** NodeRouteInfo tells what node:http knows of a request: the peer, its headers as they are parsed already, its body. */
export class NodeRouteInfo implements RouteInfo {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get peer(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }

  header(name: string): string | null {
    const value = this.#incoming.headers[name];
    return typeof value === "string" ? value : (value?.join(", ") ?? null);
  }

  readBody(limit: number): Promise<Uint8Array | "too-large"> {
    return readIncoming(this.#incoming, limit);
  }
}
