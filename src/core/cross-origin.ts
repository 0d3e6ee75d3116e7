import type { Awaitable } from "./awaitable.ts";
import { ForbiddenError, NotFoundError } from "./errors.ts";
import type { Exchange, RouteInfo } from "./exchange.ts";
import type { Kernel } from "./kernel.ts";
import { renderError } from "./render.ts";

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
      exchange.crossOrigin = cors.headersFor(origin);
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
