// The client of the server suites. It parses no more of an answer than its status and its length, and so has time left on the one core
// it has: where the client is the one that is busy, its own cost per header line is what is measured. It tells how busy it was.
import { connect } from "node:net";

const HOST = "127.0.0.1";
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const OK = "http/1.1 200 ";
const LENGTH = "\r\ncontent-length: ";

/** textOf is a request as it stands on the wire. */
export function textOf({ method, path, headers, body }) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === undefined ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body ?? ""}`;
}

/**
 * load keeps one request in flight on each of some connections, and resolves with the answers per second and the share of the time in
 * which the client was busy. A connection that a server ends after an answer is opened again. Rejects where an answer is no 200.
 */
export async function load({ port, request, connections, seconds }) {
  const bytes = Buffer.from(request, "latin1");
  let answers = 0;
  let isRunning = true;
  const talk = (resolve, reject) => {
    const socket = connect({ host: HOST, port, noDelay: true });
    let part;
    socket.on("connect", () => socket.write(bytes));
    socket.on("error", reject);
    socket.on("close", () => (isRunning ? talk(resolve, reject) : resolve()));
    socket.on("data", (chunk) => {
      const answer = part === undefined ? chunk : Buffer.concat([part, chunk]);
      const length = lengthOf(answer);
      if (length === undefined) {
        socket.destroy(new Error(`expected a 200 with its length, came ${answer}`));
        return;
      }
      part = answer.length < length ? answer : undefined;
      if (part !== undefined) return;
      answers += 1;
      if (isRunning) socket.write(bytes);
      else socket.destroy();
    });
  };
  const talks = Promise.all(Array.from({ length: connections }, () => new Promise(talk)));
  const started = performance.now();
  const before = process.cpuUsage();
  await Promise.race([talks, new Promise((resolve) => setTimeout(resolve, seconds * 1_000))]);
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  const result = { perSecond: (answers * 1_000) / ms, busy: (user + system) / 1_000 / ms };
  isRunning = false;
  await talks;
  return result;
}

/** The length of the answer that begins so: infinite until its head is there, undefined where it is no 200 that says it. */
function lengthOf(answer) {
  const end = answer.indexOf(END_OF_HEAD);
  if (end === -1) return Number.POSITIVE_INFINITY;
  const head = answer.latin1Slice(0, end).toLowerCase();
  const at = head.indexOf(LENGTH);
  if (at === -1 || !head.startsWith(OK)) return undefined;
  return end + END_OF_HEAD.length + Number.parseInt(head.slice(at + LENGTH.length), 10);
}
