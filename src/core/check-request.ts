import { type Awaitable, isPromise } from "./awaitable.ts";
import { BaseAPIError, NotFoundError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import type { Kernel } from "./kernel.ts";
import { compilePath, type PathParams, segmentsOf } from "./path.ts";
import type { AnyRoutePolicy } from "./route.ts";

/** checkRequest does what needs no store: URL length, Host, method, path; and connects before the first request. */
export function checkRequest({
  kernel,
  method,
  policy,
}: {
  readonly kernel: Kernel;
  readonly method: string | undefined;
  readonly policy: AnyRoutePolicy;
}): (exchange: Exchange) => Awaitable<"pass"> {
  const pattern = compilePath(policy.path);
  const notAllowed = method === undefined ? undefined : methodNotAllowed([method]);
  const check = (exchange: Exchange): Awaitable<"pass"> => {
    const { url } = exchange.handed;
    if (url.length > kernel.maxUrlLength) {
      throw new BaseAPIError("URI_TOO_LONG", `The URL is longer than ${kernel.maxUrlLength}.`);
    }
    if (policy.insecureAnyHost !== true && !kernel.isHostAllowed(hostOf(exchange))) {
      throw misdirected;
    }
    if (method !== undefined && !answers(method, exchange.method)) throw notAllowed;
    if (exchange.params !== undefined) return "pass";
    const given = exchange.info.params;
    if (given !== undefined && isPromise(given)) {
      return given.then((params) => {
        exchange.params = paramsFrom(params);
        return "pass" as const;
      });
    }
    if (given !== undefined) exchange.params = paramsFrom(given);
    else {
      const segments = segmentsOf(exchange.target.pathname);
      exchange.params = segments && pattern.match(segments);
      if (exchange.params === undefined) throw new NotFoundError("Path");
    }
    return "pass";
  };
  return (exchange) => {
    const ready = kernel.prepare();
    return isPromise(ready) ? ready.then(() => check(exchange)) : check(exchange);
  };
}

/** The refusal says the same each time: it is made once. */
const misdirected = new BaseAPIError("MISDIRECTED_REQUEST", "This host is not served here.");

/** A HEAD is answered by the GET route, without its body (RFC 9110 section 9.3.2). */
const answers = (method: string, asked: string): boolean =>
  asked === method || (method === "GET" && asked === "HEAD");

const hostOf = (exchange: Exchange): string | null =>
  exchange.get("host") ?? new URL(exchange.handed.url).host;

/** methodNotAllowed is the 405 of a path that knows other methods (RFC 9110 section 15.5.6). */
export const methodNotAllowed = (methods: readonly string[]): BaseAPIError =>
  new BaseAPIError("METHOD_NOT_ALLOWED", "This method is not allowed here.", {
    headers: {
      allow: [...new Set(methods.flatMap((m) => (m === "GET" ? ["GET", "HEAD"] : [m])))].join(", "),
    },
  });

/** paramsFrom copies a host's parameters; a catch-all comes as a list from Next.js. */
function paramsFrom(given: unknown): PathParams {
  const params = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(given ?? {})) {
    params[name] = Array.isArray(value) ? value.join("/") : String(value);
  }
  return params;
}
