import { BaseAPIError } from "./errors.ts";
import { buildResponse, type Exchange } from "./exchange.ts";
import type { HeaderRecord, Kernel } from "./kernel.ts";
import { renderError } from "./render.ts";
import type { AnyRoutePolicy } from "./route.ts";

/**
 * EarlyAnswer ends a request before anything is spent on it. It is counted, but neither recorded nor logged as a fault: whoever
 * provokes it can do so as often as they like.
 */
export class EarlyAnswer {
  readonly response: Response;

  constructor(response: Response) {
    this.response = response;
  }
}

type Guard = (exchange: Exchange) => "pass" | EarlyAnswer;

/**
 * edgeGuards are the first steps of a route: nothing is served above the load that the process can bear, nor to an address that is not
 * admitted. Routes of probes are served under any load; those outside the limits to any address that is not denied.
 */
export function edgeGuards(kernel: Kernel, policy: AnyRoutePolicy): Guard[] {
  const { load, addresses } = kernel;
  const isUnlimited = policy.insecureUnlimited === true;
  const guards: Guard[] = [];
  if (load !== undefined && !isUnlimited && policy.insecureAnyHost !== true) {
    guards.push((exchange) => {
      if (!load.isShedding) return "pass";
      kernel.edgeRefused?.("overload");
      return refusal(kernel.responseHeaders, exchange, OVERLOADED);
    });
  }
  if (addresses !== undefined) {
    const isServed = isUnlimited
      ? (address: string | undefined): boolean => !addresses.isDenied(address)
      : addresses.admits;
    guards.push((exchange) => {
      if (isServed(exchange.address)) return "pass";
      kernel.edgeRefused?.("address", exchange.address);
      return refusal(kernel.responseHeaders, exchange, FOREIGN);
    });
  }
  return guards;
}

/**
 * httpsGuards refuse what a trusted proxy says came over plain http. A browser that asks for a page is sent to the issuer's https
 * address; anything else is refused, so that a program which sends its credentials in the clear does not go on unnoticed
 * (ASVS 5.0 4.1.2). Routes of probes are served either way.
 */
export function httpsGuards(kernel: Kernel, policy: AnyRoutePolicy): Guard[] {
  const { https } = kernel;
  if (https === undefined || policy.insecureAnyHost === true) return [];
  // Over plain http it means nothing, and must not be said (RFC 6797 section 7.2).
  const { "strict-transport-security": _, ...standing } = kernel.responseHeaders;
  const isPage = policy.produces?.includes("text/html") === true;
  return [
    (exchange) => {
      if (!https.cameAsHttp(exchange, exchange.info.peer)) return "pass";
      kernel.edgeRefused?.("plain_http", exchange.address);
      const isNavigation = exchange.method === "GET" || exchange.method === "HEAD";
      if (!isPage || !isNavigation) return refusal(standing, exchange, PLAIN);
      const { pathname, search } = exchange.target;
      const location = `${https.origin}${pathname}${search === "" ? "" : `?${search}`}`;
      return answer(standing, exchange, {
        status: 308,
        contentType: "text/plain; charset=utf-8",
        text: "This is served over https alone.",
        headers: { location },
      });
    },
  ];
}

const FOREIGN = new BaseAPIError("FORBIDDEN", "This is not served to your address.");
const PLAIN = new BaseAPIError("FORBIDDEN", "This is served over https alone.");
const OVERLOADED = new BaseAPIError("SERVICE_UNAVAILABLE", "the event loop is late", {
  headers: { "retry-after": "5" },
});

function refusal(standing: HeaderRecord, exchange: Exchange, error: BaseAPIError): EarlyAnswer {
  const body = renderError(error, exchange.envelope(), exchange.get("accept"));
  return answer(standing, exchange, { ...body, headers: error.headers });
}

function answer(
  standing: HeaderRecord,
  exchange: Exchange,
  {
    text,
    ...parts
  }: {
    readonly text: string;
    readonly status: number;
    readonly contentType: string;
    readonly headers: HeaderRecord | undefined;
  },
): EarlyAnswer {
  const isHead = exchange.method === "HEAD";
  const length = isHead ? { "content-length": String(text.length) } : undefined;
  const headers = isHead ? { ...parts.headers, ...length } : parts.headers;
  const body = isHead ? null : text;
  return new EarlyAnswer(buildResponse(exchange, standing, { ...parts, body, headers }));
}
