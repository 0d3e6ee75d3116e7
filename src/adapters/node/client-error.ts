import type { Duplex } from "node:stream";
import { BaseAPIError, type Kernel, renderError, statusTitle } from "../../core/index.ts";

/** answerClientError answers what node:http could not parse or would not wait for, in the form of every other refusal. */
export function answerClientError(kernel: Kernel, error: Error, socket: Duplex): void {
  if (!socket.writable || (error as NodeJS.ErrnoException).code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const refusal = refusalOf((error as NodeJS.ErrnoException).code);
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
