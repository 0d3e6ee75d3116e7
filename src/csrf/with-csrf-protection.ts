import {
  ForbiddenError,
  type Handler,
  type RequestContext,
  type Stage,
  type Wrapped,
  wrapper,
} from "../core/index.ts";
import { isSafeMethod } from "./cross-site.ts";

/**
 * withCSRFProtection demands a token of the session on every request that may change something and carries our session cookie:
 * `POST(withCSRFProtection(handler), { path, requireAuth: true })`. The token comes from GET /api/auth/csrf and goes into
 * `x-csrf-token`; without it, or with another session's, the answer is 403 CSRF_REJECTED. A request that carries no session cookie is
 * nobody's browser acting on its own, and passes. It stands beside the cross-site check, which every such request passes first.
 * Throws a TypeError, when the route is defined, only if its handlers are not those of an application.
 */
export function withCSRFProtection<C extends RequestContext, R>(
  handler: Handler<C, R>,
): Wrapped<C, R> {
  return demandToken(handler);
}

const stage: Stage = {
  phase: "csrf",
  policy: { name: "withCSRFProtection", options: undefined },
  bind(kernel, { method, path }) {
    if (kernel.csrfToken === undefined) {
      throw new TypeError(
        `route ${method} ${path}: withCSRFProtection: expected handlers of createBulwark(), came others`,
      );
    }
    if (isSafeMethod(method)) return () => "pass";
    return (context) => {
      const token = kernel.csrfToken?.(context);
      if (token === "valid" || token === "exempt") return "pass";
      return token === "missing" ? missing : invalid;
    };
  },
};

const demandToken = wrapper(stage);
const missing = new ForbiddenError("A CSRF token is required.", { code: "CSRF_REJECTED" });
const invalid = new ForbiddenError("The CSRF token is not one of this session.", {
  code: "CSRF_REJECTED",
});
