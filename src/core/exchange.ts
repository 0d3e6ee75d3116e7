import type { RequestContext } from "./context.ts";
import { requestIdOf } from "./ids.ts";
import { isoTime } from "./iso-time.ts";
import type { HeaderRecord, Kernel } from "./kernel.ts";
import { type PathParams, type Target, targetOf } from "./path.ts";
import type { LimitState } from "./ports.ts";
import type { Principal } from "./principal.ts";
import { parseQuery } from "./query.ts";
import type { Envelope } from "./render.ts";

/** What a host tells about a request that the Request itself cannot say. */
export interface RouteInfo {
  /** Path parameters, where the host's router has them already; Next.js gives a promise. */
  readonly params?: unknown;
  /** The peer's address. Set by adapters only, never from a header. */
  readonly peer?: string | undefined;
  /** Reads the body faster than the stream; it must count the bytes all the same. */
  readBody?(limit: number): Promise<Uint8Array | "too-large">;
  /** Reads a header where the host can do it faster than the Request; the answer must be the same. */
  header?(name: string): string | null;
  waitUntil?(work: Promise<unknown>): void;
}

/** What no header can carry (RFC 9110 5.5), and a host would fail on after the answer was made. */
const FORBIDDEN_VALUE = /[^\t -~\u0080-\u00ff]/;

/** Exchange is one request on its way: the context that handlers see, filled in phase by phase. */
export class Exchange implements RequestContext {
  request: Request;
  readonly requestId: string;
  readonly target: Target;
  readonly address: string | undefined;
  readonly info: RouteInfo;
  params: PathParams | undefined;
  body: unknown = undefined;
  principal: Principal | undefined = undefined;
  /** Headers that this request's stages and handler set, beside those that stand on every response. */
  extraHeaders: Record<string, string> | undefined = undefined;
  cookies: string[] | undefined = undefined;
  /** The limit that is nearest to refusing, of those decided so far. */
  tightest: LimitState | undefined = undefined;
  #query: unknown = undefined;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, request: Request, info: RouteInfo, params: PathParams | undefined) {
    this.#kernel = kernel;
    this.request = request;
    this.info = info;
    this.params = params;
    this.requestId = requestIdOf(this.get("x-request-id"));
    this.target = targetOf(request.url);
    this.address = kernel.clientAddress(request, info.peer);
  }

  /** get reads a header of the request. */
  get(name: string): string | null {
    const { info } = this;
    return info.header === undefined ? this.request.headers.get(name) : info.header(name);
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  get userId(): string | undefined {
    return this.principal !== undefined && "userId" in this.principal
      ? this.principal.userId
      : undefined;
  }

  get roles(): readonly string[] | undefined {
    return this.principal !== undefined && "roles" in this.principal
      ? this.principal.roles
      : undefined;
  }

  get query(): unknown {
    this.#query ??= parseQuery(this.target.search);
    return this.#query;
  }

  set query(value: unknown) {
    this.#query = value;
  }

  header(name: string, value: string): void {
    const key = name.toLowerCase();
    if (FORBIDDEN_VALUE.test(value) || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(key)) {
      throw new TypeError(`header ${JSON.stringify(name)}: the name or value is not a header's`);
    }
    if (key === "set-cookie") {
      this.cookies ??= [];
      this.cookies.push(value);
    } else {
      this.extraHeaders ??= {};
      this.extraHeaders[key] = value;
    }
  }

  now(): number {
    return this.#kernel.clock.now();
  }

  envelope(): Envelope {
    const { clock, version } = this.#kernel;
    return { requestId: this.requestId, timestamp: isoTime(clock.now()), version };
  }
}

/** What a response has besides the headers that stand on every one. */
export interface ResponseParts {
  readonly body: string | null;
  readonly status: number;
  readonly contentType: string;
  readonly headers: HeaderRecord | undefined;
}

/**
 * buildResponse makes the one Response, its headers in the constructor: plain names and values where no cookie is set,
 * since a host can write those without copying them.
 */
export function buildResponse(
  exchange: Exchange,
  standing: HeaderRecord,
  parts: ResponseParts,
): Response {
  const { extraHeaders, cookies } = exchange;
  const headers: Record<string, string> = {
    ...standing,
    "content-type": parts.contentType,
    "x-request-id": exchange.requestId,
  };
  if (exchange.tightest !== undefined) addLimit(headers, exchange, exchange.tightest);
  if (extraHeaders !== undefined) Object.assign(headers, extraHeaders);
  if (parts.headers !== undefined) Object.assign(headers, parts.headers);
  const { body, status } = parts;
  if (cookies === undefined) return new Response(body, { status, headers });
  const withCookies = new Headers(headers);
  for (const cookie of cookies) withCookies.append("set-cookie", cookie);
  return new Response(body, { status, headers: withCookies });
}

/** What the limits decided stands on every answer after they did. */
function addLimit(headers: Record<string, string>, exchange: Exchange, limit: LimitState): void {
  headers["x-ratelimit-limit"] = String(limit.policy.requests);
  headers["x-ratelimit-remaining"] = String(limit.remaining);
  headers["x-ratelimit-reset"] = isoTime(exchange.now() + limit.resetMs);
}

/** rewrap gives a handler's own Response the standing headers; where both set one, the handler's stands. */
export function rewrap(exchange: Exchange, standing: HeaderRecord, response: Response): Response {
  const record: Record<string, string> = { ...standing, ...exchange.extraHeaders };
  if (exchange.tightest !== undefined) addLimit(record, exchange, exchange.tightest);
  const headers = new Headers(record);
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") headers.set(name, value);
  }
  headers.set("x-request-id", exchange.requestId);
  for (const cookie of [...response.headers.getSetCookie(), ...(exchange.cookies ?? [])]) {
    headers.append("set-cookie", cookie);
  }
  const { status, statusText } = response;
  // A host that builds its responses late would notice only after the headers were sent.
  if (status < 200 || status > 599 || response.bodyUsed) {
    throw new TypeError(`a response of status ${status} cannot be sent, or was read already`);
  }
  const isHead = exchange.request.method === "HEAD";
  if (isHead) response.body?.cancel().catch(() => {});
  return new Response(isHead ? null : response.body, { status, statusText, headers });
}
