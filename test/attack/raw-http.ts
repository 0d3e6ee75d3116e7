import { connect } from "node:net";

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const DEADLINE_MS = 15_000;

/** exchange sends bytes and returns the answers that came until the server closed. Rejects if it does not within 15 s. */
export function exchange(port: number, bytes: string | Uint8Array): Promise<RawAnswer[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server did not close; it sent: ${Buffer.concat(chunks).toString()}`));
    }, DEADLINE_MS);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A reset after an answer is how a server refuses what is still on its way.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(parseAnswers(Buffer.concat(chunks).toString("latin1")));
    });
  });
}

/** parseAnswers splits a stream of answers by their framing. Throws if anything is left over. */
export function parseAnswers(stream: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = stream;
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    const [line = "", ...fields] = rest.slice(0, end).split("\r\n");
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1];
    if (end === -1 || status === undefined) throw new Error(`not an answer: ${rest}`);
    const headers = headersOf(fields);
    rest = rest.slice(end + 4);
    let body = "";
    if (headers["transfer-encoding"] === "chunked") [body, rest] = unchunk(rest);
    else {
      const length = Number(headers["content-length"] ?? 0);
      body = rest.slice(0, length);
      rest = rest.slice(length);
    }
    answers.push({ status: Number(status), headers, body });
  }
  return answers;
}

function headersOf(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(":");
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  return headers;
}

function unchunk(text: string): [body: string, rest: string] {
  let body = "";
  let rest = text;
  for (;;) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (!(size >= 0)) throw new Error(`not a chunk: ${rest}`);
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
    if (size === 0) return [body, rest];
  }
}
