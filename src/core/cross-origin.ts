import type { Awaitable } from "./awaitable.ts";
import { ForbiddenError, NotFoundError } from "./errors.ts";
import type { Exchange, RouteInfo } from "./exchange.ts";
import type { HeaderRecord, Kernel } from "./kernel.ts";
import { renderError } from "./render.ts";

/** What a browser asks before a page of another origin may send a request (Fetch section 3.3.3). */
export interface Preflight {
  readonly origin: string;
  /** Access-Control-Request-Method. */
  readonly method: string;
  /** Access-Control-Request-Headers, as it came. */
  readonly headers: string | null;
  /** Whether the page stands on a more public network than this server. */
  readonly privateNetwork: boolean;
  /** Methods that routes of the path answer. */
  readonly methods: readonly string[];
}

/** CrossOriginPolicy is what pages of other origins may do. */
export interface CrossOriginPolicy {
  /** headersFor returns what an answer says to the pages of an origin, or undefined where they may not read it. */
  headersFor(origin: string): HeaderRecord | undefined;
  /** preflight returns the headers of the permission, or an error that says what is not allowed. */
  preflight(asked: Preflight): HeaderRecord | Error;
}

/**
 * tellOrigin is the first step of a route: what an allowed origin may read stands on every answer, the early refusals among them.
 * Any other origin is served without a word of it, which keeps its pages from reading the answer.
 */
export function tellOrigin({ cors }: Kernel): ((exchange: Exchange) => "pass")[] {
  if (cors === undefined) return [];
  return [
    (exchange) => {
      const origin = exchange.get("origin");
      if (origin === null) return "pass";
      const headers = cors.headersFor(origin);
      if (headers !== undefined) exchange.extraHeaders = { ...headers };
      return "pass";
    },
  ];
}

/** isPreflight tells a browser's question from an OPTIONS request that a page sends by itself. */
export function isPreflight(request: Request, info: RouteInfo): boolean {
  if (request.method !== "OPTIONS") return false;
  const get = (name: string): string | null => info.header?.(name) ?? request.headers.get(name);
  return get("origin") !== null && get("access-control-request-method") !== null;
}

/**
 * answerPreflight answers for all routes of a path: 204 with the permission, else 403, and 404 where there is no path and the origin is
 * an allowed one. It is no access, and stands before every limit: so nothing is recorded of it.
 */
export function answerPreflight(
  { cors }: Kernel,
  methods: readonly string[] | undefined,
): (exchange: Exchange) => Awaitable<Response> {
  const names = methods?.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  return (exchange) => {
    const method = exchange.get("access-control-request-method") ?? "";
    const answer = cors?.preflight({
      origin: exchange.get("origin") ?? "",
      method,
      headers: exchange.get("access-control-request-headers"),
      privateNetwork: exchange.get("access-control-request-private-network") === "true",
      methods: names ?? [method],
    });
    if (answer === undefined || answer instanceof Error) {
      return refusal(exchange, new ForbiddenError(answer?.message));
    }
    if (names === undefined) return refusal(exchange, new NotFoundError("Path"));
    return new Response(null, { status: 204, headers: answer });
  };
}

function refusal(exchange: Exchange, error: ForbiddenError | NotFoundError): Response {
  const body = renderError(error, exchange.envelope(), exchange.get("accept"));
  return new Response(body.text, {
    status: body.status,
    headers: { "content-type": body.contentType },
  });
}
