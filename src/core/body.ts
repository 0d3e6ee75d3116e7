import { isJson, parseContentType } from "./content-type.ts";
import { BaseAPIError } from "./errors.ts";

/** A request whose body is to be read: an exchange. */
export interface BodySource {
  readonly request: Request;
  /** A host that knows its own framing can read a body faster than a stream; it must count the bytes all the same. */
  readonly info: { readBody?(limit: number): Promise<Uint8Array | "too-large"> };
  get(name: string): string | null;
}

const tooLarge = (limit: number): BaseAPIError =>
  new BaseAPIError("PAYLOAD_TOO_LARGE", `The body is larger than ${limit} bytes.`);

const unsupported = (message: string): BaseAPIError =>
  new BaseAPIError("UNSUPPORTED_MEDIA_TYPE", message, { headers: { accept: "application/json" } });

/** checkDeclaredLength refuses by Content-Length alone, before a byte is read. What passes is counted all the same. */
export function checkDeclaredLength(declared: string | null, limit: number): void {
  if (declared === null) return;
  if (!/^\d{1,15}$/.test(declared)) {
    throw new BaseAPIError("INVALID_REQUEST", "Content-Length is not a number.");
  }
  if (Number(declared) > limit) throw tooLarge(limit);
}

/** readBytes reads a body to its end and throws PAYLOAD_TOO_LARGE as soon as the counted bytes pass the limit. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      // The rest is not ours to read; what cancelling says changes nothing for the refusal.
      reader.cancel().catch(() => {});
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * readJson reads a JSON body of at most `limit` bytes; an empty body is undefined. Throws or rejects only with PAYLOAD_TOO_LARGE,
 * UNSUPPORTED_MEDIA_TYPE (not JSON, not UTF-8, or encoded) and INVALID_REQUEST (malformed, or cut off).
 */
export function readJson(source: BodySource, limit: number): Promise<unknown> {
  const type = source.get("content-type");
  if (type !== null && !isJson(parseContentType(type))) {
    throw unsupported("The body must be application/json in UTF-8.");
  }
  const encoding = source.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw unsupported("Content-Encoding is not supported here.");
  }
  checkDeclaredLength(source.get("content-length"), limit);
  return readAll(source, limit).then((bytes) => {
    if (bytes === "too-large") throw tooLarge(limit);
    if (bytes.byteLength === 0) return undefined;
    if (type === null) throw unsupported("The body must be application/json in UTF-8.");
    return parse(bytes);
  }, unreadable);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // The parser's message quotes the body, which may hold a secret: it is not kept as a cause.
    throw new BaseAPIError("INVALID_REQUEST", "The body is not valid JSON.");
  }
}

const readAll = (source: BodySource, limit: number): Promise<Uint8Array | "too-large"> =>
  source.info.readBody?.(limit) ?? readBytes(source.request, limit);

function unreadable(error: unknown): never {
  if (error instanceof BaseAPIError) throw error;
  throw new BaseAPIError("INVALID_REQUEST", "The body could not be read.", { cause: error });
}

/** limitBody gives a handler that reads the body by itself a request whose body fails past the limit. */
export function limitBody(request: Request, limit: number): Request {
  checkDeclaredLength(request.headers.get("content-length"), limit);
  if (request.body === null) return request;
  let size = 0;
  const counted = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength;
        if (size > limit) controller.error(tooLarge(limit));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { method, headers, signal } = request;
  return new Request(request.url, {
    method,
    headers,
    signal,
    body: counted,
    duplex: "half",
  } as RequestInit);
}
