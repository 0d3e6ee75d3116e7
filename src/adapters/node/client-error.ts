import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { BaseAPIError, type Kernel, renderError, statusTitle } from "../../core/index.ts";

/** What node:http knows of a connection: the answer that is in front on it. Not documented, and so only looked at where it is there. */
interface Answering {
  readonly _httpMessage?: ServerResponse | null;
}

/** How long a client that was refused may take to read why. */
const LINGER_MS = 500;

/** Connections whose refusal waits: their parser fails again with each piece that comes. */
const refused = new WeakSet<Duplex>();

/**
 * answerClientError answers what node:http could not parse or would not wait for, in the form of every other refusal, and ends the
 * connection whether its client does or not. What came whole in front of it is answered first. Where the answer to what is
 * broken is on its way already nothing is written into it.
 */
export function answerClientError(kernel: Kernel, error: Error, socket: Duplex): void {
  const { code } = error as NodeJS.ErrnoException;
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  if (refused.has(socket)) return;
  refused.add(socket);
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") kernel.edgeRefused?.("slow_request");
  refuseInTurn(kernel, code, socket);
}

function refuseInTurn(kernel: Kernel, code: string | undefined, socket: Duplex): void {
  const front = (socket as Answering)._httpMessage;
  if (front?.req?.complete === true) {
    front.once("finish", () => {
      // The last answer of a connection ends it by itself.
      if (socket.writable) refuseInTurn(kernel, code, socket);
    });
  } else if (front?.headersSent === true) socket.destroy();
  else refuse(kernel, code, socket);
}

function refuse(kernel: Kernel, code: string | undefined, socket: Duplex): void {
  const refusal = refusalOf(code);
  const requestId = crypto.randomUUID();
  const timestamp = new Date(kernel.clock.now()).toISOString();
  const body = renderError(refusal, { requestId, timestamp, version: kernel.version }, null);
  const headers = {
    ...kernel.responseHeaders,
    "x-request-id": requestId,
    "content-type": body.contentType,
    "content-length": String(Buffer.byteLength(body.text)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${body.status} ${statusTitle(body.status)}\r\n`;
  socket.end(`${status}${lines.join("")}\r\n${body.text}`);
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(cut));
}

function refusalOf(code: string | undefined): BaseAPIError {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new BaseAPIError("HEADERS_TOO_LARGE", "The request's headers are too large.");
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new BaseAPIError("REQUEST_TIMEOUT", "The request did not arrive in time.");
  }
  return new BaseAPIError("INVALID_REQUEST", "The request is not valid HTTP.");
}
