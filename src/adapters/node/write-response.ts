import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { NodeResponse, type Parts } from "./node-response.ts";
import { writeAtOnce } from "./write-at-once.ts";

/**
 * writeResponse writes an answer and ends it. A body that fails, or is of another length than its header says, cuts the
 * connection; a client that goes away cancels it. Throws only what node:http says of an impossible header, before anything is
 * written.
 */
export function writeResponse(response: Response, outgoing: ServerResponse): void {
  const parts = response instanceof NodeResponse ? response.parts() : undefined;
  if (parts === undefined) writeAny(response, outgoing);
  else if (parts.body === null) writeEmpty(response.status, flat(parts), outgoing);
  else if (!writeAtOnce(response.status, parts, parts.body, outgoing)) {
    writeText(response.status, flat(parts), parts.body, outgoing);
  }
}

/** Names and values in one flat list: node:http takes longer over an object than over all the rest of an answer. */
const flat = ({ standing, headers }: Parts): string[] => [
  ...Object.entries(standing).flat(),
  ...headers,
];

function writeText(
  status: number,
  headers: string[],
  body: string,
  outgoing: ServerResponse,
): void {
  headers.push("content-length", String(Buffer.byteLength(body)));
  outgoing.writeHead(status, headers);
  outgoing.end(body);
}

function writeEmpty(status: number, headers: string[], outgoing: ServerResponse): void {
  // Neither has a body, nor a length of one (RFC 9110 sections 8.6, 15.4.5); that of a HEAD is its GET's.
  const isBodiless = status === 204 || status === 304 || outgoing.req.method === "HEAD";
  if (!isBodiless && !headers.includes("content-length")) headers.push("content-length", "0");
  outgoing.writeHead(status, headers).end();
}

/** Fields that are of the connection, or of its framing, which node:http knows alone. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

function writeAny(response: Response, outgoing: ServerResponse): void {
  const headers: string[] = [];
  for (const [name, value] of response.headers) {
    if (!CONNECTION_FIELDS.has(name)) headers.push(name, value);
  }
  const { body, status } = response;
  if (body === null || outgoing.req.method === "HEAD") {
    // What is not sent is not made either; that it could not be told so changes nothing.
    body?.cancel().catch(() => {});
    writeEmpty(status, headers, outgoing);
    return;
  }
  outgoing.writeHead(status, headers);
  // The first bytes may be long in coming: what is known is sent.
  outgoing.flushHeaders();
  const length = response.headers.get("content-length");
  const source = Readable.fromWeb(body as WebStream);
  const sent =
    length === null
      ? pipeline(source, outgoing)
      : pipeline(source, (chunks) => exactly(chunks, Number(length)), outgoing);
  sent.catch(() => {
    // A pipeline into a connection that is gone leaves its source as it is (Node 24).
    source.destroy();
    outgoing.destroy();
  });
}

/** A body longer than it says would be read as the next answer; one that is shorter, the next answer as its end. */
async function* exactly(
  chunks: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    left -= chunk.byteLength;
    if (left >= 0) yield chunk;
    else break;
  }
  if (left !== 0) throw new Error("the body is of another length than its header says");
}
