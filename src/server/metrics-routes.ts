import type { Bulwark } from "../bulwark/index.ts";
import { type AnyRoute, NotFoundError, type RequestContext } from "../core/index.ts";
import { digestsEqual, sha256 } from "../crypto/index.ts";

/** Headers that proxies add, by whichever name they call the client: with one of them, a loopback peer is not it. */
const FORWARDED =
  /^(?:via|forwarded|x-(?:original-)?forwarded(?:-.*)?|x-real-ip|(?:x-cluster-|x-|fly-|fastly-|true-)client-ip|cf-.*|x-envoy-.*)$/;

const isLoopback = (address: string | undefined): boolean =>
  address === "::1" || address?.startsWith("127.") === true;

/**
 * metricsRoutes serve GET /metrics to a loopback peer without any forwarding header, or to the bearer of the metrics token.
 * Everyone else is told that there is no such path.
 */
export function metricsRoutes(
  { handlers, observability }: Bulwark,
  metricsToken: string | undefined,
): readonly AnyRoute[] {
  const digest = metricsToken === undefined ? undefined : sha256(metricsToken);

  const mayRead = ({ request, address }: RequestContext): boolean => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    if (bearer !== undefined) return digest !== undefined && digestsEqual(sha256(bearer), digest);
    return isLoopback(address) && ![...request.headers.keys()].some((name) => FORWARDED.test(name));
  };

  class MetricsHandler extends handlers.BaseAPIHandler {
    /** The token is the scraper's, not a user's: the authenticators have nothing to say of it. */
    static override checkAuth() {
      return { isAuthenticated: false, reason: "absent" } as const;
    }
  }

  const metrics = MetricsHandler.GET(
    (context) => {
      if (!mayRead(context)) throw new NotFoundError("Path");
      const type = "text/plain; version=0.0.4; charset=utf-8";
      return new Response(observability.metrics.text(), { headers: { "content-type": type } });
    },
    {
      path: "/metrics",
      requireAuth: false,
      insecureAnyHost: true,
      produces: ["text/plain", "application/openmetrics-text"],
      errors: ["NOT_FOUND"],
      summary: "Metrics, as Prometheus text",
    },
  );
  return [metrics];
}
