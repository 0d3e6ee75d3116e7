import { BaseAPIError } from "./errors.ts";

/** ContentCoding is what a body may be packed with (RFC 9110 section 8.4.1); `deflate` is the zlib format. */
export type ContentCoding = "gzip" | "deflate" | "br";

export const CONTENT_CODINGS: readonly ContentCoding[] = ["gzip", "deflate", "br"];

/** BodyDecoder unpacks bodies that are read to their end. */
export interface BodyDecoder {
  /** What it can unpack. */
  readonly codings: readonly ContentCoding[];
  /**
   * decode returns what `bytes` hold, or that it is more than `limit` bytes, or that it is not one whole stream of that coding and nothing
   * besides. It stops as soon as it knows. Rejects only with an UnavailableError, where too many wait.
   */
  decode(
    bytes: Uint8Array,
    coding: ContentCoding,
    limit: number,
  ): Promise<Uint8Array | "too-large" | "malformed">;
}

/** CodingRules are how packed bodies are taken. */
export interface CodingRules {
  /** Those that are taken; any other is 415. Default all that the decoder can unpack. */
  readonly codings: readonly ContentCoding[];
  /** Times its own size that a body may unpack to, once it is more than 64 KiB. Default 100. */
  readonly maxRatio: number;
  readonly decoder: BodyDecoder;
}

/** Up to here a body may be packed as well as it can be: it could have been sent as it is. */
const RATIO_FLOOR = 65_536;
/** Nobody packs more than this for one request; routes that take more take it as it is. */
const MAX_DECODED = 16_777_216;

/**
 * codingOf reads Content-Encoding; undefined where the body is as it is. Throws only UNSUPPORTED_MEDIA_TYPE, with what is taken
 * (RFC 9110 sections 12.5.3 and 15.5.16): for what is unknown, what is not taken, and several.
 */
export function codingOf(
  value: string | null,
  { codings }: CodingRules,
): ContentCoding | undefined {
  if (value === null) return undefined;
  const name = value.toLowerCase();
  if (name === "identity") return undefined;
  // An old name of it (RFC 9110 section 8.4.1.3).
  const coding = name === "x-gzip" ? "gzip" : name;
  const known = codings.find((one) => one === coding);
  if (known !== undefined) return known;
  throw new BaseAPIError("UNSUPPORTED_MEDIA_TYPE", "This Content-Encoding is not taken.", {
    headers: { "accept-encoding": [...codings, "identity"].join(", ") },
  });
}

/**
 * decodeBody unpacks what was read to its end, to at most `limit` bytes and at most `maxRatio` times its own size.
 * Rejects only with PAYLOAD_TOO_LARGE, INVALID_REQUEST and, where too many wait to be unpacked, SERVICE_UNAVAILABLE.
 */
export async function decodeBody(
  bytes: Uint8Array,
  coding: ContentCoding,
  limit: number,
  { decoder, maxRatio }: CodingRules,
): Promise<Uint8Array> {
  const expanded = Math.max(RATIO_FLOOR, bytes.byteLength * maxRatio);
  const decoded = await decoder.decode(bytes, coding, Math.min(limit, expanded, MAX_DECODED));
  if (decoded === "malformed") {
    throw new BaseAPIError("INVALID_REQUEST", `The body is not one whole ${coding} stream.`);
  }
  if (decoded !== "too-large") return decoded;
  const byRatio = expanded < Math.min(limit, MAX_DECODED);
  throw new BaseAPIError(
    "PAYLOAD_TOO_LARGE",
    byRatio
      ? `The body unpacks to more than ${maxRatio} times its size.`
      : `The body unpacks to more than ${Math.min(limit, MAX_DECODED)} bytes.`,
  );
}

/** A piece this small unpacks to no more than half a megabyte, which is what a stream may make before it is asked to stop. */
const PIECE = 512;

/**
 * webDecoder unpacks with what every host has (Compression Streams), in small pieces, so that it can stop soon; `br` is not among it. Some
 * runtimes read several gzip members as one.
 */
export const webDecoder: BodyDecoder = {
  codings: ["gzip", "deflate"],
  async decode(bytes, coding, limit) {
    if (coding === "br") return "malformed";
    const stream = new DecompressionStream(coding);
    const writer = stream.writable.getWriter();
    const write = async (): Promise<void> => {
      for (let at = 0; at < bytes.byteLength; at += PIECE) {
        await writer.write(bytes.slice(at, at + PIECE));
      }
      await writer.close();
    };
    // What goes wrong here is seen by whoever reads, as well.
    write().catch(() => {});
    const reader = stream.readable.getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return joined(chunks, size);
        size += value.byteLength;
        if (size > limit) {
          writer.abort().catch(() => {});
          reader.cancel().catch(() => {});
          return "too-large";
        }
        chunks.push(value);
      }
    } catch {
      return "malformed";
    }
  },
};

/** joined is all the chunks in one piece. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** What stands where nothing is configured. */
export const WEB_CODINGS: CodingRules = {
  codings: webDecoder.codings,
  maxRatio: 100,
  decoder: webDecoder,
};
