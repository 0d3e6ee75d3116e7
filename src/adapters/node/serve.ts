import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  asAPIError,
  BaseAPIError,
  type BaseAPIHandler,
  isPromise,
  type Kernel,
  type Router,
  renderError,
} from "../../core/index.ts";
import { answerClientError } from "./client-error.ts";
import { guardConnections, openConnections } from "./connections.ts";
import { drain } from "./drain.ts";
import { dropBody } from "./drop-body.ts";
import { announcesBody, NodeRequest } from "./node-request.ts";
import { NodeResponse } from "./node-response.ts";
import { NodeRouteInfo } from "./node-route-info.ts";
import { PipelinedRequests } from "./pipelined-requests.ts";
import { requestUrl } from "./request-url.ts";
import { type NodeServerLimits, type ServerLimits, serverLimits } from "./server-options.ts";
import { StallWatch } from "./stall-watch.ts";
import { cutStalledReaders } from "./stalled-readers.ts";
import { Turn } from "./turn.ts";
import { writeResponse } from "./write-response.ts";

export interface NodeServerOptions extends NodeServerLimits {
  /** The bound handlers whose kernel answers what never becomes a request. */
  readonly handlers: Pick<typeof BaseAPIHandler, "kernel">;
  readonly router: Router;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 3000. */
  readonly port?: number | undefined;
}

export interface NodeServer {
  readonly host: string;
  readonly port: number;
  /** close stops listening after the drain delay, lets requests in flight finish, and cuts what is left; answers from its call on are the last of their connections. */
  close(): Promise<void>;
}

/** What the answers of one server share. */
interface Host {
  readonly kernel: Kernel;
  readonly router: Router;
  readonly limits: ServerLimits;
  readonly bodies: StallWatch;
  readonly pipelined: PipelinedRequests;
  readonly answers: Turn<Answer>;
  isClosing: boolean;
}

/** A response, and what it answers. */
interface Answer {
  readonly response: Response;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * serve listens with node:http. Rejects only where a limit is out of range, or the address cannot be listened on.
 * @public
 */
export async function serve(options: NodeServerOptions): Promise<NodeServer> {
  const { kernel } = options.handlers;
  const limits = serverLimits(options);
  const host: Host = {
    kernel,
    router: options.router,
    limits,
    bodies: new StallWatch(limits.bodyTimeout, () => kernel.edgeRefused?.("slow_body")),
    pipelined: new PipelinedRequests(limits.maxRequestsInFlight),
    answers: new Turn((answer) => write(host, answer)),
    isClosing: false,
  };
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    answer(host, incoming, outgoing);
  const server = createServer(serverOptions(limits), onRequest);
  // By itself node:http asks for each body at once.
  server.on("checkContinue", onRequest);
  // An expectation that nobody knows may be passed over (RFC 9110 section 10.1.1); node:http's own answer would lack the standing headers.
  server.on("checkExpectation", onRequest);
  // By default node:http drops what stands behind the first thousand: the header of a proxy, or a second credential. We count them.
  server.maxHeadersCount = 0;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  guardConnections(server, kernel, {
    total: limits.maxConnections,
    perAddress: limits.maxConnectionsPerAddress,
  });
  const open = openConnections(server);
  cutStalledReaders(server, kernel, limits.writeTimeout);
  server.on("clientError", (error, socket) => answerClientError(kernel, error, socket));

  const address = options.host ?? "127.0.0.1";
  await listen(server, address, options.port ?? 3000);
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    host: address,
    port,
    close: () => {
      host.isClosing = true;
      closing ??= drain(server, open, limits.drainDelay, limits.drainTimeout);
      return closing;
    },
  };
}

const CHECK_MS = 5_000;

const serverOptions = (limits: ServerLimits) => ({
  maxHeaderSize: limits.maxHeaderSize,
  headersTimeout: Math.min(limits.headersTimeout, limits.requestTimeout),
  requestTimeout: limits.requestTimeout,
  connectionsCheckingInterval: Math.min(
    CHECK_MS,
    limits.headersTimeout / 2,
    limits.requestTimeout / 2,
  ),
  keepAliveTimeout: limits.keepAliveTimeout,
  // Without a Host the answer is ours, in our form.
  requireHostHeader: false,
  // A header that may come once and came twice is joined, as a Request joins it, and so matches nothing.
  joinDuplicateHeaders: true,
});

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** answer hands a request to the router, and what comes of it to the writer. */
function answer(host: Host, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const written = (response: Response): void => host.answers.add({ response, incoming, outgoing });
  const failed = (error: unknown): void => written(refuse(host.kernel, error));
  try {
    checkVersion(incoming, outgoing);
    checkHeaderCount(host, incoming);
    const request = new NodeRequest(incoming, outgoing, requestUrl(incoming), host.bodies);
    request.limit = host.kernel.maxBodyBytes;
    // An answer has no connection yet where another one is on its way.
    if (outgoing.socket === null && !isAdmitted(host, request, incoming, outgoing)) return;
    const info = new NodeRouteInfo(incoming, request);
    const response = host.router(request as unknown as Request, info);
    if (isPromise(response)) response.then(written, failed);
    else written(response);
  } catch (error) {
    failed(error);
  }
}

/** isAdmitted cuts a connection that has too many requests in flight, and everything else that came in the same piece. */
function isAdmitted(
  { kernel, pipelined }: Host,
  request: NodeRequest,
  { socket }: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  if (socket.destroyed) return false;
  if (pipelined.add(socket, request, outgoing)) return true;
  kernel.edgeRefused?.("pipelining");
  socket.destroy();
  return false;
}

/** A request line without a version is parsed as HTTP/0.9, which nobody speaks (RFC 9112 section 2.3). */
function checkVersion({ httpVersionMajor }: IncomingMessage, outgoing: ServerResponse): void {
  if (httpVersionMajor === 1) return;
  outgoing.shouldKeepAlive = false;
  throw new BaseAPIError("INVALID_REQUEST", "The request is not valid HTTP.");
}

function checkHeaderCount({ kernel, limits }: Host, { rawHeaders }: IncomingMessage): void {
  if (rawHeaders.length <= limits.maxHeaders * 2) return;
  kernel.edgeRefused?.("headers");
  const message = `The request has more than ${limits.maxHeaders} headers.`;
  throw new BaseAPIError("HEADERS_TOO_LARGE", message);
}

/** What node:http knows of the last request that a connection may have: it says so to the client, and goes on all the same. */
interface Last {
  readonly maxRequestsOnConnectionReached?: boolean;
}

/** write writes an answer; where it cannot be written, a refusal, or nothing where a part of it has left. */
function write(host: Host, { response, incoming, outgoing }: Answer): void {
  if (host.isClosing || (outgoing as Last).maxRequestsOnConnectionReached === true) {
    outgoing.shouldKeepAlive = false;
  }
  if (announcesBody(incoming) && !incoming.readableEnded) dropBody(incoming, outgoing);
  try {
    writeResponse(response, outgoing);
  } catch (error) {
    if (outgoing.headersSent) outgoing.destroy();
    else {
      // That of the answer that failed.
      outgoing.statusMessage = "";
      writeResponse(refuse(host.kernel, error), outgoing);
    }
  }
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
