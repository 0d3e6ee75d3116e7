import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  asAPIError,
  type BaseAPIHandler,
  isPromise,
  type Kernel,
  parseDuration,
  type Router,
  renderError,
} from "../../core/index.ts";
import { answerClientError } from "./client-error.ts";
import { limitConnections } from "./connections.ts";
import { dropBody } from "./drop-body.ts";
import { announcesBody, NodeRequest } from "./node-request.ts";
import { NodeResponse } from "./node-response.ts";
import { NodeRouteInfo } from "./node-route-info.ts";
import { requestUrl } from "./request-url.ts";
import { KEEP_ALIVE_MS } from "./write-at-once.ts";
import { writeResponse } from "./write-response.ts";

export interface NodeServerOptions {
  /** The bound handlers whose kernel answers what never becomes a request. */
  readonly handlers: Pick<typeof BaseAPIHandler, "kernel">;
  readonly router: Router;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 3000. */
  readonly port?: number | undefined;
  /** Bytes of all headers of a request. Default 16 KiB. */
  readonly maxHeaderSize?: number | undefined;
  /** Time for a request's headers to arrive. Default 10s. */
  readonly headersTimeout?: string | undefined;
  /** Time that requests in flight get at a close. Default 10s. */
  readonly drainTimeout?: string | undefined;
  /** Connections at once, in all. Default 10,000. */
  readonly maxConnections?: number | undefined;
  /** Connections at once from one address. Default 512. */
  readonly maxConnectionsPerAddress?: number | undefined;
}

export interface NodeServer {
  readonly host: string;
  readonly port: number;
  /** close stops listening, lets requests in flight finish, and then cuts what is left. */
  close(): Promise<void>;
}

/**
 * serve listens with node:http. Rejects only where the address cannot be listened on.
 * @public
 */
export async function serve(options: NodeServerOptions): Promise<NodeServer> {
  const { kernel } = options.handlers;
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    answer(options, incoming, outgoing);
  };

  const server = createServer(
    {
      maxHeaderSize: options.maxHeaderSize ?? 16_384,
      headersTimeout: parseDuration(options.headersTimeout ?? "10s", "headersTimeout"),
      requestTimeout: parseDuration("60s"),
      connectionsCheckingInterval: 5_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Without a Host the answer is ours, in our form.
      requireHostHeader: false,
      // A header that may come once and came twice is joined, as a Request joins it, and so matches nothing.
      joinDuplicateHeaders: true,
    },
    (incoming, outgoing) => {
      // A request line without a version is parsed as HTTP/0.9, which nobody speaks (RFC 9112 section 2.3).
      if (incoming.httpVersionMajor === 1) listener(incoming, outgoing);
      else answerClientError(kernel, new Error("not HTTP/1"), incoming.socket);
    },
  );
  // By default node:http drops what stands behind the first thousand: the header of a proxy, or a second credential.
  server.maxHeadersCount = 0;
  server.maxConnections = options.maxConnections ?? 10_000;
  limitConnections(server, options.maxConnectionsPerAddress ?? 512);
  server.on("clientError", (error, socket) => answerClientError(kernel, error, socket));

  const host = options.host ?? "127.0.0.1";
  await listen(server, host, options.port ?? 3000);
  const { port } = server.address() as AddressInfo;
  const drainMs = parseDuration(options.drainTimeout ?? "10s", "drainTimeout");
  let closing: Promise<void> | undefined;
  return {
    host,
    port,
    close: () => {
      closing ??= drain(server, drainMs);
      return closing;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function drain(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection is idle only after its last answer: ask again until all have been.
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

/** answer hands a request to the router and writes what comes of it. */
function answer(
  { handlers: { kernel }, router }: NodeServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  try {
    const request = new NodeRequest(incoming, outgoing, requestUrl(incoming));
    const response = router(request as unknown as Request, new NodeRouteInfo(incoming, request));
    if (isPromise(response)) {
      response
        .then((settled) => write(settled, incoming, outgoing))
        .catch((error: unknown) => fail(kernel, error, incoming, outgoing));
    } else write(response, incoming, outgoing);
  } catch (error) {
    fail(kernel, error, incoming, outgoing);
  }
}

function write(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (announcesBody(incoming) && !incoming.readableEnded) dropBody(incoming, outgoing);
  writeResponse(response, outgoing);
}

function fail(
  kernel: Kernel,
  error: unknown,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  if (outgoing.headersSent) outgoing.destroy();
  else write(refuse(kernel, error), incoming, outgoing);
}

/** refuse answers what could not be read as a request (an impossible Host or URL), with all standing headers. */
function refuse(kernel: Kernel, error: unknown): Response {
  const refusal = asAPIError(error);
  const requestId = crypto.randomUUID();
  if (refusal.statusCode >= 500) kernel.log.error({ requestId, err: error }, "request failed");
  const timestamp = new Date(kernel.clock.now()).toISOString();
  const envelope = { requestId, timestamp, version: kernel.version };
  const body = renderError(refusal, envelope, null);
  const headers = ["content-type", body.contentType, "x-request-id", requestId];
  const parts = { body: body.text, standing: kernel.responseHeaders, headers };
  return new NodeResponse(body.status, parts) as unknown as Response;
}
