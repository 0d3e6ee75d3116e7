import { sessionCookieOf } from "../auth/index.ts";
import { ForbiddenError, type RequestContext, type Stage } from "../core/index.ts";
import { type CSRFProtection, crossSiteDecision } from "../csrf/index.ts";

/** checkCrossSite throws CSRF_REJECTED unless a request comes from a page of ours, or shows a token of its session. */
export type CheckCrossSite = (context: RequestContext) => void;

/** wireCsrf makes the check of requests that carry our session cookie, and of those whose body asks for one. */
export function wireCsrf(
  origins: readonly string[],
  csrf: CSRFProtection,
): { readonly check: CheckCrossSite; readonly stage: Stage } {
  const allowed = new Set(origins);

  const check: CheckCrossSite = ({ request }) => {
    const { headers, method } = request;
    const decision = crossSiteDecision(
      {
        method,
        site: headers.get("sec-fetch-site"),
        mode: headers.get("sec-fetch-mode"),
        origin: headers.get("origin"),
      },
      allowed,
    );
    if (decision === "pass") return;
    const cookie = sessionCookieOf(request, {});
    const session = cookie === undefined || cookie === "ambiguous" ? "" : cookie.value;
    if (decision === "token" && csrf.validateToken(session, headers.get("x-csrf-token"))) return;
    throw new ForbiddenError("This request does not come from a page of ours.", {
      code: "CSRF_REJECTED",
    });
  };

  const stage: Stage = {
    phase: "csrf",
    policy: { name: "crossSite", options: { origins } },
    bind: () => (context) => {
      const { method } = context.request;
      if (method === "GET" || method === "HEAD") return "pass";
      if (sessionCookieOf(context.request, {}) !== undefined) check(context);
      return "pass";
    },
  };
  return { check, stage };
}
