import type { ReadBody } from "./body.ts";
import type { RequestContext } from "./context.ts";
import { requestIdOf } from "./ids.ts";
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
  readonly readBody?: ReadBody | undefined;
  waitUntil?(work: Promise<unknown>): void;
}

const FORBIDDEN_VALUE = /[\0\r\n]/;

/** Exchange is one request on its way: the context that handlers see, filled in phase by phase. */
export class Exchange implements RequestContext {
  request: Request;
  readonly requestId: string;
  readonly target: Target;
  readonly address: string | undefined;
  readonly info: RouteInfo;
  params: PathParams | undefined;
  body: unknown;
  principal: Principal | undefined;
  /** Headers that this request's stages and handler set, beside those that stand on every response. */
  readonly extraHeaders: Record<string, string> = {};
  readonly cookies: string[] = [];
  /** The limit that is nearest to refusing, of those decided so far. */
  tightest: LimitState | undefined;
  #query: unknown;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, request: Request, info: RouteInfo, target = targetOf(request.url)) {
    this.#kernel = kernel;
    this.request = request;
    this.info = info;
    this.requestId = requestIdOf(request);
    this.target = target;
    this.address = kernel.clientAddress(request, info.peer);
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
    if (key === "set-cookie") this.cookies.push(value);
    else this.extraHeaders[key] = value;
  }

  envelope(): Envelope {
    return {
      requestId: this.requestId,
      timestamp: new Date(this.#kernel.clock.now()).toISOString(),
      version: this.#kernel.version,
    };
  }
}

/**
 * buildResponse makes the one Response, its headers in the constructor: plain names and values where no cookie is set,
 * since a host can write those without copying them.
 */
export function buildResponse(
  exchange: Exchange,
  standing: HeaderRecord,
  body: string | null,
  status: number,
  own: HeaderRecord,
): Response {
  const headers: Record<string, string> = {
    ...standing,
    "x-request-id": exchange.requestId,
    ...exchange.extraHeaders,
    ...own,
  };
  if (exchange.cookies.length === 0) return new Response(body, { status, headers });
  const withCookies = new Headers(headers);
  for (const cookie of exchange.cookies) withCookies.append("set-cookie", cookie);
  return new Response(body, { status, headers: withCookies });
}

/** rewrap gives a handler's own Response the standing headers; where both set one, the handler's stands. */
export function rewrap(exchange: Exchange, standing: HeaderRecord, response: Response): Response {
  const headers = new Headers({ ...standing, ...exchange.extraHeaders });
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") headers.set(name, value);
  }
  headers.set("x-request-id", exchange.requestId);
  for (const cookie of [...response.headers.getSetCookie(), ...exchange.cookies]) {
    headers.append("set-cookie", cookie);
  }
  return new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  });
}
