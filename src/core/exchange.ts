import type { RequestContext } from "./context.ts";
import { requestIdOf } from "./ids.ts";
import { isoTime } from "./iso-time.ts";
import type { HeaderRecord, Kernel } from "./kernel.ts";
import type { LimitFields } from "./limit-fields.ts";
import { type PathParams, type Target, targetOf } from "./path.ts";
import type { Principal } from "./principal.ts";
import { parseQuery } from "./query.ts";
import type { Envelope } from "./render.ts";

/** What a host tells about a request that the Request itself cannot say. */
export interface RouteInfo {
  /** Path parameters, where the host's router has them already; Next.js gives a promise. */
  readonly params?: unknown;
  /** The peer's address. Set by adapters only, never from a header. */
  readonly peer?: string | undefined;
  /** What ends the work on the request: the host aborts it as the client goes away, and the pipeline when the time is up. */
  aborting?(): AbortController;
  /** Bounds what anybody may read of the body, in bytes: reading on fails with PAYLOAD_TOO_LARGE. */
  limitBody?(limit: number): void;
  /** Reads the body faster than the stream, or returns undefined where that is not free any more; it must count the bytes all the same. */
  readBody?(limit: number): Promise<Uint8Array | "too-large"> | undefined;
  /** The request itself, where the one that was handed over only stands in for it. */
  request?(): Request;
  /**
   * Makes a Response faster than its constructor can; what it says must be the same. `standing` is the same object on most answers, and
   * `headers` are those of this one besides, names and values in turn, its own from then on. No name is in both, and all are such as can be
   * sent.
   */
  response?(
    body: string | null,
    status: number,
    standing: HeaderRecord,
    headers: string[],
  ): Response;
  /** Reads a header where the host can do it faster than the Request; the answer must be the same. */
  header?(name: string): string | null;
  waitUntil?(work: Promise<unknown>): void;
}

/** What no header can carry (RFC 9110 5.5), and a host would fail on after the answer was made. */
const FORBIDDEN_VALUE = /[^\t -~\u0080-\u00ff]/;

/** Throws a TypeError only if a header of that name or value could not be sent (RFC 9110 section 5). */
function checkField(key: string, value: string): void {
  if (FORBIDDEN_VALUE.test(value) || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(key)) {
    throw new TypeError(`header ${JSON.stringify(key)}: the name or value is not a header's`);
  }
}

/** Fields by which a host frames an answer: two that differ would let one answer be read as two. */
const FRAMING: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** Exchange is one request on its way: the context that handlers see, filled in phase by phase. */
export class Exchange implements RequestContext {
  readonly requestId: string;
  readonly method: string;
  readonly target: Target;
  readonly address: string | undefined;
  readonly info: RouteInfo;
  params: PathParams | undefined;
  body: unknown = undefined;
  principal: Principal | undefined = undefined;
  /** Headers that this request's stages and handler set, beside those that stand on every response. */
  extraHeaders: Record<string, string> | undefined = undefined;
  /** What the pages of its origin are told, of one that is allowed. */
  crossOrigin: HeaderRecord | undefined = undefined;
  cookies: string[] | undefined = undefined;
  /** What the limits that were decided so far are told as. */
  limits: LimitFields | undefined = undefined;
  #aborting: AbortController | undefined = undefined;
  #query: unknown = undefined;
  #answeredAt: number | undefined = undefined;
  readonly #kernel: Kernel;
  #request: Request;
  #isReal = false;
  #limit: ((request: Request) => Request) | undefined = undefined;

  constructor(kernel: Kernel, request: Request, info: RouteInfo, params: PathParams | undefined) {
    this.#kernel = kernel;
    this.#request = request;
    this.method = request.method;
    this.info = info;
    this.params = params;
    this.requestId = requestIdOf(this.get("x-request-id"));
    this.target = targetOf(request.url);
    this.address = kernel.clientAddress(this, info.peer);
  }

  /** The request, as handlers see it: where the host's one only stands in for it, the real one. */
  get request(): Request {
    if (!this.#isReal) {
      this.#isReal = true;
      const request = this.info.request?.() ?? this.#request;
      this.#request = this.#limit?.(request) ?? request;
    }
    return this.#request;
  }

  /** limitRequest says what a handler is given in the place of the request, which is made only where somebody asks for it. */
  limitRequest(limit: (request: Request) => Request): void {
    if (this.#isReal) this.#request = limit(this.#request);
    else this.#limit = limit;
  }

  /** What the host handed over: all that a method, a URL or a header is needed of. */
  get handed(): Request {
    return this.#request;
  }

  /** get reads a header of the request. */
  get(name: string): string | null {
    const { info } = this;
    return info.header === undefined ? this.#request.headers.get(name) : info.header(name);
  }

  get signal(): AbortSignal {
    return this.#controller().signal;
  }

  /** abort ends the work: the signal aborts, and that of the Request too where the host lets it. */
  abort(reason: Error): void {
    this.#controller().abort(reason);
  }

  #controller(): AbortController {
    this.#aborting ??= this.info.aborting?.() ?? following(this.request.signal);
    return this.#aborting;
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

  get tenantId(): string | undefined {
    return this.principal?.tenantId;
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
    checkField(key, value);
    if (FRAMING.has(key)) throw new TypeError(`header ${key}: the host writes it`);
    if (key === "set-cookie") {
      this.cookies ??= [];
      this.cookies.push(value);
    } else if (key === "vary") {
      // What an answer varies by is added up.
      const standing = this.extraHeaders?.[key] ?? this.#kernel.responseHeaders[key];
      this.#set(key, standing === undefined ? value : `${standing}, ${value}`);
    } else if (key !== "cache-control" || this.principal === undefined) {
      // What a known principal is answered is kept by nobody, whatever a handler says.
      this.#set(key, value);
    }
  }

  #set(key: string, value: string): void {
    this.extraHeaders ??= {};
    this.extraHeaders[key] = value;
  }

  now(): number {
    return this.#kernel.clock.now();
  }

  /** answeredAt is the moment of the answer, the same in all that it says. */
  answeredAt(): number {
    this.#answeredAt ??= this.now();
    return this.#answeredAt;
  }

  envelope(): Envelope {
    const { version } = this.#kernel;
    return { requestId: this.requestId, timestamp: isoTime(this.answeredAt()), version };
  }
}

/** following returns a controller that aborts with a signal, and may abort before it. */
function following(signal: AbortSignal): AbortController {
  const aborting = new AbortController();
  const onAbort = (): void => aborting.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return aborting;
}

/** What a response has besides the headers that stand on every one. */
export interface ResponseParts {
  readonly body: string | null;
  readonly status: number;
  readonly contentType: string;
  readonly headers: HeaderRecord | undefined;
}

/** buildResponse makes the one Response, its headers known before it is made. */
export function buildResponse(
  exchange: Exchange,
  standing: HeaderRecord,
  parts: ResponseParts,
): Response {
  const { extraHeaders, cookies, info } = exchange;
  const own = ["content-type", parts.contentType, "x-request-id", exchange.requestId];
  if (exchange.crossOrigin !== undefined) own.push(...listOf(exchange.crossOrigin));
  if (exchange.limits !== undefined) addLimit(own, exchange, exchange.limits);
  let rest = standing;
  // An error's own come from wherever it was made; all others were checked when they were set.
  for (const name in parts.headers) checkField(name.toLowerCase(), parts.headers[name] ?? "");
  for (const more of [extraHeaders, parts.headers]) {
    if (more === undefined) continue;
    replaceAll(own, more);
    rest = without(rest, more);
  }
  for (const cookie of cookies ?? []) own.push("set-cookie", cookie);
  const { body, status } = parts;
  if (info.response !== undefined) return info.response(body, status, rest, own);
  const list = [...listOf(rest), ...own];
  // A host's own Response may take an object as it is, and has to read a list; but only a list says a name twice.
  const isOnce = cookies === undefined || cookies.length < 2;
  return new Response(body, { status, headers: isOnce ? recordOf(list) : headersOf(list) });
}

/** without is what stands where some headers are set otherwise: itself, on most answers. */
function without(standing: HeaderRecord, own: HeaderRecord): HeaderRecord {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const left = Object.entries(standing).filter(([name]) => !names.has(name));
  return left.length === Object.keys(standing).length ? standing : Object.fromEntries(left);
}

const lists = new WeakMap<HeaderRecord, readonly string[]>();

/** The standing headers as a list, made once. */
function listOf(standing: HeaderRecord): readonly string[] {
  let list = lists.get(standing);
  if (list === undefined) {
    list = Object.entries(standing).flat();
    lists.set(standing, list);
  }
  return list;
}

/** replaceAll sets headers of their own in the place of those that stand. */
function replaceAll(headers: string[], own: HeaderRecord): void {
  for (const [name, value] of Object.entries(own)) {
    const key = name.toLowerCase();
    let index = 0;
    while (index < headers.length && headers[index] !== key) index += 2;
    headers[index] = key;
    headers[index + 1] = value;
  }
}

function recordOf(list: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let index = 0; index < list.length; index += 2) {
    record[list[index] as string] = list[index + 1] as string;
  }
  return record;
}

const headersOf = (list: readonly string[]): [string, string][] => {
  const pairs: [string, string][] = [];
  for (let index = 0; index < list.length; index += 2) {
    pairs.push([list[index] as string, list[index + 1] as string]);
  }
  return pairs;
};

/** What the limits decided stands on every answer after they did. */
function addLimit(headers: string[], exchange: Exchange, limits: LimitFields): void {
  const { policy, remaining, resetMs } = limits.tightest;
  headers.push(
    "ratelimit-policy",
    limits.policies,
    "ratelimit",
    limits.states,
    "x-ratelimit-limit",
    String(policy.requests),
    "x-ratelimit-remaining",
    String(remaining),
    "x-ratelimit-reset",
    isoTime(exchange.answeredAt() + resetMs),
  );
}

/** rewrap gives a handler's own Response the standing headers; where both set one, the handler's stands. */
export function rewrap(exchange: Exchange, standing: HeaderRecord, response: Response): Response {
  const standingList = [...listOf(standing)];
  if (exchange.crossOrigin !== undefined) standingList.push(...listOf(exchange.crossOrigin));
  if (exchange.limits !== undefined) addLimit(standingList, exchange, exchange.limits);
  if (exchange.extraHeaders !== undefined) replaceAll(standingList, exchange.extraHeaders);
  const headers = new Headers(headersOf(standingList));
  for (const [name, value] of response.headers) {
    if (name === "vary") headers.append(name, value);
    else if (name !== "set-cookie") headers.set(name, value);
  }
  if (isUnpacked(response)) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  if (exchange.principal !== undefined) headers.set("cache-control", "no-store");
  headers.set("x-request-id", exchange.requestId);
  for (const cookie of [...response.headers.getSetCookie(), ...(exchange.cookies ?? [])]) {
    headers.append("set-cookie", cookie);
  }
  const { status, statusText } = response;
  // A host that builds its responses late would notice only after the headers were sent.
  if (status < 200 || status > 599 || response.bodyUsed) {
    throw new TypeError(`a response of status ${status} cannot be sent, or was read already`);
  }
  const isHead = exchange.method === "HEAD";
  if (isHead) response.body?.cancel().catch(() => {});
  return new Response(isHead ? null : response.body, { status, statusText, headers });
}

/** Codings that every fetch unpacks. */
const UNPACKED = /^(?:x-)?(?:gzip|deflate|br)$/i;

/** What fetch answered says how it came over the wire, while its body is unpacked already; only such a response has a URL. */
function isUnpacked({ url, headers }: Response): boolean {
  const codings = headers.get("content-encoding")?.split(",") ?? [];
  return url !== "" && codings.length > 0 && codings.every((one) => UNPACKED.test(one.trim()));
}
