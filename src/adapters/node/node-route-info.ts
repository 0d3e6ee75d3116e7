import type { IncomingMessage } from "node:http";
import type { HeaderRecord, RouteInfo } from "../../core/index.ts";
import type { NodeRequest } from "./node-request.ts";
import { NodeResponse } from "./node-response.ts";

/** NodeRouteInfo tells what node:http knows of a request: the peer, its headers as they are parsed already, its body. */
export class NodeRouteInfo implements RouteInfo {
  readonly #incoming: IncomingMessage;
  readonly #headers: IncomingMessage["headers"];
  readonly #request: NodeRequest;

  constructor(incoming: IncomingMessage, request: NodeRequest) {
    this.#incoming = incoming;
    this.#headers = incoming.headers;
    this.#request = request;
  }

  request(): Request {
    return this.#request.real();
  }

  aborting(): AbortController {
    return this.#request.aborting();
  }

  response(
    body: string | null,
    status: number,
    standing: HeaderRecord,
    headers: string[],
  ): Response {
    return new NodeResponse(status, { body, standing, headers }) as unknown as Response;
  }

  get peer(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }

  header(name: string): string | null {
    const value = this.#headers[name];
    return typeof value === "string" ? value : (value?.join(", ") ?? null);
  }

  limitBody(limit: number): void {
    this.#request.limit = limit;
  }

  readBody(limit: number): Promise<Uint8Array | "too-large"> | undefined {
    return this.#request.readBody(limit);
  }
}
