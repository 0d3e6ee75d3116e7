import {
  type ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from "node:http";
import type { HeaderRecord } from "../../core/index.ts";
import type { Parts } from "./node-response.ts";

/** What node:http keeps of a head: its text, and whether it has left. Not documented, and so looked for before it is relied on. */
interface Head {
  _header: string | null;
  _headerSent: boolean;
  maxRequestsOnConnectionReached?: boolean;
}

/** How long node:http keeps an idle connection open; it is told to clients. */
export const KEEP_ALIVE_MS = 5_000;
const KEEP_ALIVE = `keep-alive: timeout=${KEEP_ALIVE_MS / 1_000}`;

/**
 * writeAtOnce writes a whole answer as one text, where that is all there is to do: node:http would check and join the same standing headers
 * again for every answer, and hand head and end to the kernel as two. It writes nothing and returns false where the connection
 * is to end, another answer is on its way on it, the body is not ASCII, or node:http is not as this knows it.
 * Throws only what node:http says of an impossible header, before anything is written.
 */
export function writeAtOnce(
  status: number,
  { standing, headers }: Parts,
  body: string,
  outgoing: ServerResponse,
): boolean {
  const head = outgoing as unknown as Head;
  const { socket } = outgoing;
  if (
    head._header !== null ||
    head._headerSent !== false ||
    head.maxRequestsOnConnectionReached === true ||
    !outgoing.shouldKeepAlive ||
    outgoing.req.httpVersionMinor !== 1 ||
    socket === null ||
    socket.destroyed ||
    // Only a text of ASCII is the same in Latin-1, in which headers are written.
    Buffer.byteLength(body) !== body.length
  ) {
    return false;
  }
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${blockOf(standing)}${linesOf(headers)}content-length: ${body.length}\r\ndate: ${dateNow()}\r\nconnection: keep-alive\r\n${KEEP_ALIVE}\r\n\r\n`;
  outgoing.statusCode = status;
  head._header = text;
  head._headerSent = true;
  socket.write(text + body, "latin1");
  outgoing.end();
  return true;
}

const blocks = new WeakMap<HeaderRecord, string>();

/** The lines of headers that stand on every answer, checked and joined once. */
function blockOf(standing: HeaderRecord): string {
  let block = blocks.get(standing);
  if (block === undefined) {
    for (const [name, value] of Object.entries(standing)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    block = linesOf(Object.entries(standing).flat());
    blocks.set(standing, block);
  }
  return block;
}

function linesOf(headers: readonly string[]): string {
  let lines = "";
  for (let index = 0; index < headers.length; index += 2) {
    lines += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  return lines;
}

let second = 0;
let date = "";

/** The moment as a Date header says it (RFC 9110 section 6.6.1), made once a second. */
function dateNow(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    date = new Date(now * 1_000).toUTCString();
  }
  return date;
}
