import { brotliCompressSync, constants, deflateSync, gzipSync } from "node:zlib";

/** How a body is packed for the tests, quickly. */
export const PACK = {
  gzip: (bytes: string | Uint8Array): Buffer => gzipSync(bytes),
  deflate: (bytes: string | Uint8Array): Buffer => deflateSync(bytes),
  br: (bytes: string | Uint8Array): Buffer =>
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 22 },
    }),
};

export type Coding = keyof typeof PACK;
export const CODINGS = Object.keys(PACK) as Coding[];

/** chunked frames a body in chunks of that many bytes. */
export function chunked(bytes: Uint8Array, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), Buffer.from(piece));
    parts.push(Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

/** message is a whole request: its line, its fields and its body as they are. */
export const message = (
  line: string,
  fields: readonly string[],
  body: string | Uint8Array,
): Buffer =>
  Buffer.concat([
    Buffer.from([`${line} HTTP/1.1`, ...fields, "connection: close", "", ""].join("\r\n")),
    Buffer.from(body),
  ]);
