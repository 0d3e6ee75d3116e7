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

  const check: CheckCrossSite = (context) => {
    const facts = {
      // Only what may change something is asked.
      method: "POST",
      site: headerOf(context, "sec-fetch-site"),
      mode: headerOf(context, "sec-fetch-mode"),
      origin: headerOf(context, "origin"),
    };
    const decision = crossSiteDecision(facts, allowed);
    if (decision === "pass") return;
    const cookie = sessionCookieOf(headerOf(context, "cookie"));
    const session = cookie === undefined || cookie === "ambiguous" ? "" : cookie.value;
    const token = headerOf(context, "x-csrf-token");
    if (decision === "token" && csrf.validateToken(session, token)) return;
    throw new ForbiddenError("This request does not come from a page of ours.", {
      code: "CSRF_REJECTED",
    });
  };

  const stage: Stage = {
    phase: "csrf",
    policy: { name: "crossSite", options: { origins } },
    bind: (_kernel, { method }) =>
      // Where no route answers, nothing is changed by anyone.
      method === "*" || isSafe(method)
        ? () => "pass"
        : (context) => {
            if (method === "*" && isSafe(context.method ?? context.request.method)) return "pass";
            if (sessionCookieOf(headerOf(context, "cookie")) !== undefined) check(context);
            return "pass";
          },
  };
  return { check, stage };
}

const isSafe = (method: string): boolean =>
  method === "GET" || method === "HEAD" || method === "OPTIONS";

const headerOf = (context: RequestContext, name: string): string | null =>
  context.get === undefined ? context.request.headers.get(name) : context.get(name);
