import { sessionCookieOf } from "../auth/index.ts";
import {
  ForbiddenError,
  type Kernel,
  type RequestContext,
  readHeader,
  type Stage,
} from "../core/index.ts";
import { type CSRFProtection, crossSiteDecision, isSafeMethod } from "../csrf/index.ts";
import { REPORTS_PATH } from "./wire-headers.ts";

/** checkCrossSite throws CSRF_REJECTED unless a request comes from a page of ours, or shows a token of its session. */
export type CheckCrossSite = (context: RequestContext) => void;

export interface WiredCSRF {
  readonly check: CheckCrossSite;
  readonly stage: Stage;
  readonly csrfToken: NonNullable<Kernel["csrfToken"]>;
}

/** Browsers send reports by themselves, with cookies and without a word of where from; nothing of a report is done in anyone's name. */
const COLLECTOR = `POST ${REPORTS_PATH}`;

/**
 * wireCsrf makes the check of requests that carry our session cookie, and of those whose body asks for one. `exempt` are routes, each a
 * method and the path exactly as it is defined.
 */
export function wireCsrf(
  origins: readonly string[],
  csrf: CSRFProtection,
  exempt: readonly string[] = [],
): WiredCSRF {
  const allowed = new Set(origins);
  const exempted = new Set([...exempt, COLLECTOR]);

  const csrfToken: WiredCSRF["csrfToken"] = (context) => {
    const cookie = sessionCookieOf(readHeader(context, "cookie"));
    if (cookie === undefined) return "exempt";
    const token = readHeader(context, "x-csrf-token");
    if (token === null) return "missing";
    const session = cookie === "ambiguous" ? "" : cookie.value;
    return csrf.validateToken(session, token) ? "valid" : "invalid";
  };

  const check: CheckCrossSite = (context) => {
    const facts = {
      // Only what may change something is asked.
      method: "POST",
      site: readHeader(context, "sec-fetch-site"),
      mode: readHeader(context, "sec-fetch-mode"),
      origin: readHeader(context, "origin"),
    };
    const decision = crossSiteDecision(facts, allowed);
    if (decision === "pass") return;
    if (decision === "token" && csrfToken(context) === "valid") return;
    throw new ForbiddenError("This request does not come from a page of ours.", {
      code: "CSRF_REJECTED",
    });
  };

  const stage: Stage = {
    phase: "csrf",
    policy: { name: "crossSite", options: { origins } },
    bind: (_kernel, { method, path }) =>
      // Where no route answers, nothing is changed by anyone.
      method === "*" || isSafeMethod(method) || exempted.has(`${method} ${path}`)
        ? () => "pass"
        : (context) => {
            if (sessionCookieOf(readHeader(context, "cookie")) !== undefined) check(context);
            return "pass";
          },
  };
  return { check, stage, csrfToken };
}

const ROUTE = /^(?:POST|PUT|PATCH|DELETE) \/(?:[^\s/]+\/)*[^\s/]+$/;

/** checkExempt lists entries that are no route: a prefix, such as `POST /hooks/`, would exempt what nobody thought of. */
export function checkExempt(exempt: readonly string[], problems: string[]): void {
  for (const [index, route] of exempt.entries()) {
    if (ROUTE.test(route)) continue;
    problems.push(
      `insecureCsrfExempt[${index}]: expected a route such as "POST /hooks/:id", came ${JSON.stringify(route)}`,
    );
  }
}
