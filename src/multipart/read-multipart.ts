import { BaseAPIError, parseContentType } from "../core/index.ts";
import { ByteSource } from "./byte-source.ts";
import { type PartHeaders, parsePartHeaders } from "./part-headers.ts";

export interface MultipartLimits {
  /** Parts of a body. Default 20. */
  readonly parts?: number | undefined;
  /** Bytes of the header of a part. Default 4,096. */
  readonly headerBytes?: number | undefined;
  /** Bytes of the content of a part. Default: what the whole body may be. */
  readonly partBytes?: number | undefined;
}

/**
 * Part is one field or file of a form. Its name, file name and type are the client's word: the file name builds no path, and the type is
 * not what the content is. It is read before the next one is asked for; what was not read by then is skipped, and counted all the same.
 */
export interface Part extends PartHeaders {
  /** The content as it comes. */
  readonly content: AsyncIterable<Uint8Array>;
  /** bytes reads the content to its end. */
  readonly bytes: () => Promise<Uint8Array>;
  /** text reads the content to its end, in UTF-8. */
  readonly text: () => Promise<string>;
}

const malformed = (message: string): BaseAPIError => new BaseAPIError("INVALID_REQUEST", message);
const tooLarge = (message: string): BaseAPIError => new BaseAPIError("PAYLOAD_TOO_LARGE", message);

const ascii = new TextEncoder();
const BLANK_LINE = ascii.encode("\r\n\r\n");

/**
 * readMultipart reads a multipart/form-data body (RFC 7578) part by part, as it comes: no more of it is held than a piece and the header of
 * a part. The bytes in all are bounded by the request, which a route counts.
 * Rejects only with UNSUPPORTED_MEDIA_TYPE (no multipart/form-data with a boundary), PAYLOAD_TOO_LARGE (beyond a limit), INVALID_REQUEST
 * (malformed, or cut off), and what reading the request rejects with. A RangeError says that a limit is none.
 */
export async function* readMultipart(
  request: Request,
  limits: MultipartLimits = {},
): AsyncGenerator<Part, void, undefined> {
  const { parts, headerBytes, partBytes } = checked(limits);
  const boundary = boundaryOf(request.headers.get("content-type"));
  const source = new ByteSource(request.body);
  // With the line break that is part of it (RFC 2046 section 5.1.1); only the first has none.
  const delimiter = ascii.encode(`\r\n--${boundary}`);
  try {
    const opening = await source.take(delimiter.byteLength - 2);
    if (!startsAs(opening, delimiter))
      throw malformed("The body does not begin with its boundary.");
    for (let count = 1; await hasNext(source); count += 1) {
      if (count > parts) throw tooLarge(`The body has more than ${parts} parts.`);
      const headers = await readHeaders(source, headerBytes);
      const content = new PartContent(source, delimiter, partBytes);
      yield {
        ...headers,
        content,
        bytes: () => content.bytes(),
        text: async () => decoded(await content.bytes()),
      };
      await content.skip();
    }
    await checkEnd(source);
  } finally {
    source.cancel();
  }
}

function checked(limits: MultipartLimits): Required<{ [K in keyof MultipartLimits]: number }> {
  const { parts = 20, headerBytes = 4_096, partBytes = Number.MAX_SAFE_INTEGER } = limits;
  for (const [name, value] of Object.entries({ parts, headerBytes, partBytes })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`${name}: expected a whole number of at least 1, came ${value}`);
  }
  return { parts, headerBytes, partBytes };
}

/** 1 to 70 characters, the last one no space (RFC 2046 section 5.1.1). */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;

function boundaryOf(type: string | null): string {
  const media = parseContentType(type);
  const boundary = media?.parameters.get("boundary") ?? "";
  if (media?.type === "multipart/form-data" && BOUNDARY.test(boundary)) return boundary;
  throw new BaseAPIError(
    "UNSUPPORTED_MEDIA_TYPE",
    "The body must be multipart/form-data with a boundary of 1 to 70 characters.",
    { headers: { accept: "multipart/form-data" } },
  );
}

const startsAs = (opening: Uint8Array, delimiter: Uint8Array): boolean =>
  opening.byteLength === delimiter.byteLength - 2 &&
  opening.every((byte, index) => byte === delimiter[index + 2]);

const DASH = 0x2d;
const CR = 0x0d;
const LF = 0x0a;

/** Behind a boundary comes a line and a part, or two dashes and the end. */
async function hasNext(source: ByteSource): Promise<boolean> {
  const [first, second] = await source.take(2);
  if (first === CR && second === LF) return true;
  if (first === DASH && second === DASH) return false;
  throw malformed("The body has something behind a boundary.");
}

async function readHeaders(source: ByteSource, limit: number): Promise<PartHeaders> {
  const bytes = await source.takeUntil(BLANK_LINE, limit);
  if (bytes !== undefined) return parsePartHeaders(bytes);
  throw malformed(`A part of the body: expected a header of at most ${limit} bytes.`);
}

/** What stands behind the last boundary is read by some, and by others not: there is a line break at most. */
async function checkEnd(source: ByteSource): Promise<void> {
  const rest = await source.take(3);
  const isLine = rest.byteLength === 2 && rest[0] === CR && rest[1] === LF;
  if (rest.byteLength > 0 && !isLine) throw malformed("The body goes on behind its last boundary.");
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("A part of the body is not UTF-8.");
  }
}

/** PartContent counts what is between two boundaries; it can be read once. */
class PartContent implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncGenerator<Uint8Array, boolean, undefined>;
  readonly #limit: number;
  #size = 0;
  #isOver = false;

  constructor(source: ByteSource, delimiter: Uint8Array, limit: number) {
    this.#pieces = source.pieces(delimiter);
    this.#limit = limit;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // Leaving a loop early must not end the pieces: what is left is skipped.
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return { done: true, value: undefined };
    const { done, value } = await this.#pieces.next();
    if (done === true) {
      this.#isOver = true;
      if (!value) throw malformed("The body ends within a part.");
      return { done: true, value: undefined };
    }
    this.#size += value.byteLength;
    if (this.#size > this.#limit) {
      throw tooLarge(`A part of the body is larger than ${this.#limit} bytes.`);
    }
    return { done: false, value };
  }

  async bytes(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of this) {
      pieces.push(piece);
      size += piece.byteLength;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
    return bytes;
  }

  async skip(): Promise<void> {
    while ((await this.#next()).done !== true);
  }
}
