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
  /** Whether the client waits to be asked for its body, and was. */
  _expect_continue?: boolean;
  _sent100?: boolean;
  /** What clients are told of the connection: how long it is kept, and for how many requests. */
  _keepAliveTimeout?: number;
  _maxRequestsPerSocket?: number;
}

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
    // A body that was not asked for may come or not: what follows cannot be told from it.
    (head._expect_continue === true && head._sent100 !== true) ||
    typeof head._keepAliveTimeout !== "number" ||
    typeof head._maxRequestsPerSocket !== "number" ||
    !outgoing.shouldKeepAlive ||
    outgoing.req.httpVersionMinor !== 1 ||
    socket === null ||
    socket.destroyed ||
    // Only a text of ASCII is the same in Latin-1, in which headers are written.
    Buffer.byteLength(body) !== body.length
  ) {
    return false;
  }
  const text = `${blockOf(standing, status)}${linesOf(headers)}\r\ncontent-length: ${body.length}${endOfHead(head._keepAliveTimeout, head._maxRequestsPerSocket)}`;
  outgoing.statusCode = status;
  head._header = text;
  head._headerSent = true;
  socket.write(text + body, "latin1");
  outgoing.end();
  return true;
}

const blocks = new WeakMap<HeaderRecord, Map<number, string>>();

/** The status line and the headers that stand on every answer, checked and joined once. */
function blockOf(standing: HeaderRecord, status: number): string {
  let ofStatus = blocks.get(standing);
  if (ofStatus === undefined) {
    for (const [name, value] of Object.entries(standing)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    ofStatus = new Map();
    blocks.set(standing, ofStatus);
  }
  let block = ofStatus.get(status);
  if (block === undefined) {
    const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}`;
    block = flat(line + linesOf(Object.entries(standing).flat()));
    ofStatus.set(status, block);
  }
  return block;
}

/** Each line begins with the end of the one before. */
function linesOf(headers: readonly string[]): string {
  let lines = "";
  for (let index = 0; index < headers.length; index += 2) {
    lines += lineOf(headers[index] as string) + (headers[index + 1] as string);
  }
  return lines;
}

const MAX_NAMES = 1_000;
const beginnings = new Map<string, string>();

/** What stands before a header's value: the names are few, and each piece of a text costs when it is written. */
function lineOf(name: string): string {
  let beginning = beginnings.get(name);
  if (beginning === undefined) {
    beginning = flat(`\r\n${name}: `);
    if (beginnings.size < MAX_NAMES) beginnings.set(name, beginning);
  }
  return beginning;
}

let second = 0;
let kept = 0;
let most = 0;
let end = "";

/** The last lines of a head: they change once a second, with the Date (RFC 9110 section 6.6.1). */
function endOfHead(keepAliveMs: number, requests: number): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second || keepAliveMs !== kept || requests !== most) {
    second = now;
    kept = keepAliveMs;
    most = requests;
    const max = requests > 0 ? `, max=${requests}` : "";
    const date = new Date(now * 1_000).toUTCString();
    end = flat(
      `\r\ndate: ${date}\r\nconnection: keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveMs / 1_000)}${max}\r\n\r\n`,
    );
  }
  return end;
}

/** flat copies a text that was joined of pieces: whoever writes it walks them all, every time. */
const flat = (text: string): string => Buffer.from(text, "latin1").toString("latin1");
