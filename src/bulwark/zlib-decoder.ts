import { brotliDecompress, crc32, inflate, inflateRaw, type ZlibOptions } from "node:zlib";
import { type BodyDecoder, type ContentCoding, UnavailableError } from "../core/index.ts";

/** Bodies that are unpacked at once: the threads are those that hash passwords too, and so few keep memory flat. */
const AT_ONCE = 2;
/** Bodies that wait to be unpacked; each is held meanwhile. */
const MAX_WAITING = 256;

type Decoded = Uint8Array | "too-large" | "malformed";

/** createZlibDecoder unpacks with node:zlib, off the main thread, two bodies at once; 256 others wait as they came, packed, and more are refused. */
export function createZlibDecoder(): BodyDecoder {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  const take = (): Promise<void> | undefined => {
    if (free === 0) {
      if (waiting.length >= MAX_WAITING) throw new UnavailableError("too many bodies to unpack");
      return new Promise((resolve) => waiting.push(resolve));
    }
    free -= 1;
    return undefined;
  };
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    codings: ["gzip", "deflate", "br"],
    async decode(bytes, coding, limit) {
      await take();
      try {
        return await DECODE[coding](bytes, limit);
      } finally {
        giveBack();
      }
    },
  };
}

const DECODE: Readonly<
  Record<ContentCoding, (bytes: Uint8Array, limit: number) => Promise<Decoded>>
> = { gzip: gunzipOne, deflate: (bytes, limit) => whole(inflate, bytes, limit), br: unbrotli };

interface Unpacked {
  readonly buffer: Uint8Array;
  /** Bytes of the input that were used. */
  readonly used: number;
}

type Unpack = (
  bytes: Uint8Array,
  options: ZlibOptions,
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

/** What is asked for at once; node:zlib stops after the piece that passes the limit. */
const CHUNK = 65_536;

function unpack(
  method: Unpack,
  bytes: Uint8Array,
  limit: number,
): Promise<Unpacked | "too-large" | "malformed"> {
  return new Promise((resolve) => {
    const chunkSize = Math.min(CHUNK, Math.max(1_024, limit));
    // An output of nothing cannot be asked for: one byte, or more, is then too large.
    const options = { chunkSize, maxOutputLength: Math.max(1, limit), info: true };
    method(bytes, options, (error, result) => {
      if (error !== null) {
        const { code } = error as NodeJS.ErrnoException;
        resolve(code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "malformed");
        return;
      }
      // With `info` it is an object, which the types do not know.
      const { buffer, engine } = result as unknown as {
        buffer: Uint8Array;
        engine: { bytesWritten: number };
      };
      resolve(buffer.byteLength > limit ? "too-large" : { buffer, used: engine.bytesWritten });
    });
  });
}

/** whole unpacks what must be one stream, with nothing behind it. */
async function whole(method: Unpack, bytes: Uint8Array, limit: number): Promise<Decoded> {
  const unpacked = await unpack(method, bytes, limit);
  if (typeof unpacked === "string") return unpacked;
  return unpacked.used === bytes.byteLength ? unpacked.buffer : "malformed";
}

/** Length of the checksum and size behind a gzip member. */
const TRAILER = 8;

/**
 * gunzipOne reads exactly one member (RFC 1952 section 2.3). node:zlib would go on reading members as one, where others read the first
 * alone: what stands before this server must not see another body than it does.
 */
async function gunzipOne(bytes: Uint8Array, limit: number): Promise<Decoded> {
  const start = endOfHeader(bytes);
  if (start === undefined) return "malformed";
  const deflated = bytes.subarray(start);
  const unpacked = await unpack(inflateRaw, deflated, limit);
  if (typeof unpacked === "string") return unpacked;
  const { buffer, used } = unpacked;
  if (deflated.byteLength !== used + TRAILER) return "malformed";
  const trailer = viewOf(deflated.subarray(used));
  const isIntact =
    trailer.getUint32(0, true) === crc32(buffer) &&
    trailer.getUint32(4, true) === buffer.byteLength;
  return isIntact ? buffer : "malformed";
}

/** Flags of a gzip header (RFC 1952 section 2.3.1). */
const HEADER_CHECKSUM = 0x02;
const EXTRA = 0x04;
const NAME = 0x08;
const COMMENT = 0x10;
const RESERVED = 0xe0;
const FIXED_HEADER = 10;

/** endOfHeader is where the deflated bytes begin; undefined where that is no gzip. */
function endOfHeader(bytes: Uint8Array): number | undefined {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
  const flags = bytes[3] ?? RESERVED;
  if (!isGzip || (flags & RESERVED) !== 0 || bytes.byteLength < FIXED_HEADER + TRAILER) {
    return undefined;
  }
  const view = viewOf(bytes);
  let at = FIXED_HEADER;
  if ((flags & EXTRA) !== 0) {
    if (at + 2 > bytes.byteLength) return undefined;
    at += 2 + view.getUint16(at, true);
  }
  for (const text of [NAME, COMMENT]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) return undefined;
    at = end + 1;
  }
  if ((flags & HEADER_CHECKSUM) !== 0) {
    if (at + 2 > bytes.byteLength) return undefined;
    if (view.getUint16(at, true) !== (crc32(bytes.subarray(0, at)) & 0xffff)) return undefined;
    at += 2;
  }
  return at <= bytes.byteLength ? at : undefined;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * unbrotli refuses a window of more than 4 MiB, by its code in the first bits (RFC 7932 section 9.1): a decoder gives nothing out before
 * its window is full, so that a body of a hundred bytes could have 16 MiB made. Encoders take 4 MiB unless they are told otherwise.
 */
function unbrotli(bytes: Uint8Array, limit: number): Promise<Decoded> {
  const code = (bytes[0] ?? 0) & 0x0f;
  if (code === 0b1101 || code === 0b1111) return Promise.resolve("malformed");
  return whole(brotliDecompress, bytes, limit);
}
