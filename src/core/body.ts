import {
  type CodingRules,
  type ContentCoding,
  codingOf,
  decodeBody,
  joined,
  WEB_CODINGS,
} from "./body-coding.ts";
import { isJson, parseContentType } from "./content-type.ts";
import { BaseAPIError } from "./errors.ts";
import { JSON_LIMITS, type JsonLimits, parseJson } from "./json-body.ts";

/** A request whose body is to be read: an exchange. */
export interface BodySource {
  readonly request: Request;
  /** A host that knows its own framing can read a body faster than a stream; it must count the bytes all the same. */
  readonly info: { readBody?(limit: number): Promise<Uint8Array | "too-large"> | undefined };
  get(name: string): string | null;
}

/** BodyRules are what bodies are held to besides their bytes. */
export interface BodyRules {
  readonly coding: CodingRules;
  readonly json: JsonLimits;
}

export const BODY_RULES: BodyRules = { coding: WEB_CODINGS, json: JSON_LIMITS };

/** tooLarge is what a body beyond its limit is refused with. */
export const tooLarge = (limit: number): BaseAPIError =>
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

/**
 * checkFraming returns how a body is packed, before a byte of it is read. Throws UNSUPPORTED_MEDIA_TYPE where that is not taken, and what
 * checkDeclaredLength throws.
 */
export function checkFraming(
  source: Pick<BodySource, "get">,
  limit: number,
  rules: CodingRules,
): ContentCoding | undefined {
  const coding = codingOf(source.get("content-encoding"), rules);
  checkDeclaredLength(source.get("content-length"), limit);
  return coding;
}

/** readBytes reads a body to its end and throws PAYLOAD_TOO_LARGE as soon as the counted bytes pass the limit. */
export async function readBytes(
  { body }: Pick<Request, "body">,
  limit: number,
): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, size);
    size += value.byteLength;
    if (size > limit) {
      // The rest is not ours to read; what cancelling says changes nothing for the refusal.
      reader.cancel().catch(() => {});
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
}

/**
 * readJson reads a JSON body of at most `limit` bytes, both as it comes and unpacked; an empty body is undefined. Throws or rejects only
 * with PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE (not JSON, not UTF-8, or packed otherwise than the rules take) and INVALID_REQUEST
 * (malformed, cut off, or beyond the rules).
 */
export function readJson(
  source: BodySource,
  limit: number,
  rules: BodyRules = BODY_RULES,
): Promise<unknown> {
  const type = source.get("content-type");
  if (type !== null && !isJson(parseContentType(type))) {
    throw unsupported("The body must be application/json in UTF-8.");
  }
  const coding = checkFraming(source, limit, rules.coding);
  const parse = (bytes: Uint8Array): unknown => {
    if (bytes.byteLength === 0) return undefined;
    if (type === null) throw unsupported("The body must be application/json in UTF-8.");
    return parseJson(bytes, rules.json);
  };
  return readAll(source, limit).then((bytes) => {
    if (bytes === "too-large") throw tooLarge(limit);
    if (coding === undefined || bytes.byteLength === 0) return parse(bytes);
    return decodeBody(bytes, coding, limit, rules.coding).then(parse);
  }, unreadable);
}

const readAll = (source: BodySource, limit: number): Promise<Uint8Array | "too-large"> =>
  source.info.readBody?.(limit) ?? readBytes(source.request, limit);

function unreadable(error: unknown): never {
  if (error instanceof BaseAPIError) throw error;
  throw new BaseAPIError("INVALID_REQUEST", "The body could not be read.", { cause: error });
}

/**
 * boundBody bounds the body of a request for whoever reads it before its turn, such as an authenticator that checks a signature: a host
 * that reads bodies by itself is told the limit, and what declares no more than that is held to it by its framing.
 */
export function boundBody(
  request: Request,
  info: { limitBody?(limit: number): void },
  limit: number,
): Request {
  if (info.limitBody !== undefined) {
    info.limitBody(limit);
    return request;
  }
  // One that was read already says so itself; a copy would pass for empty.
  if (request.body === null || request.bodyUsed) return request;
  const declared = request.headers.get("content-length");
  if (declared !== null && /^\d{1,15}$/.test(declared) && Number(declared) <= limit) return request;
  return withBody(request, request.headers, counted(request.body, limit));
}

/**
 * limitBody gives a handler that reads the body by itself a request whose body fails past the limit. A packed body is unpacked when it is
 * first read, whole and in memory, and the request no longer says that it is packed.
 * Throws only PAYLOAD_TOO_LARGE, INVALID_REQUEST and UNSUPPORTED_MEDIA_TYPE, as readJson does.
 */
export function limitBody(
  request: Request,
  limit: number,
  rules: CodingRules = WEB_CODINGS,
): Request {
  const coding = checkFraming(request.headers, limit, rules);
  if (request.body === null || request.bodyUsed) return request;
  const body =
    coding === undefined
      ? counted(request.body, limit)
      : unpacked(request.body, coding, limit, rules);
  const headers = new Headers(request.headers);
  if (coding !== undefined) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  return withBody(request, headers, body);
}

function withBody(
  { url, method, signal }: Request,
  headers: Headers,
  body: ReadableStream<Uint8Array>,
): Request {
  return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

/** It reads only as it is read: what nobody asks for stays with the client. */
function counted(body: ReadableStream<Uint8Array>, limit: number): ReadableStream<Uint8Array> {
  let size = 0;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= body.getReader();
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          return;
        }
        size += value.byteLength;
        if (size > limit) {
          // The rest is not ours to read; what cancelling says changes nothing for the refusal.
          reader.cancel().catch(() => {});
          throw tooLarge(limit);
        }
        controller.enqueue(value);
      },
      cancel: (reason) => (reader ?? body).cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function unpacked(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  coding: ContentCoding,
  limit: number,
  rules: CodingRules,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const packed = await readBytes({ body }, limit).catch(unreadable);
        const bytes =
          packed.byteLength === 0 ? packed : await decodeBody(packed, coding, limit, rules);
        if (bytes.byteLength > 0) controller.enqueue(bytes);
        controller.close();
      },
      cancel: (reason) => body.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
