import type { Awaitable } from "./awaitable.ts";
import type { BaseAPIError } from "./errors.ts";
import { buildResponse, type Exchange, rewrap } from "./exchange.ts";
import type { HeaderRecord, Kernel } from "./kernel.ts";
import { asAPIError, type RenderedBody, renderError, renderResult } from "./render.ts";
import { APIResult } from "./response-builder.ts";
import type { AnyRoutePolicy } from "./route.ts";

/** What a handler returned, or why the request was refused. */
export type Outcome = unknown;

/**
 * finish turns an outcome into the one Response, with every standing header, and records a denial once it is durable;
 * that a denial could not be recorded is logged, and refuses all the same.
 */
export function finish(
  kernel: Kernel,
  policy: AnyRoutePolicy,
  exchange: Exchange,
  outcome: Outcome,
): Awaitable<Response> {
  if (outcome instanceof Error) return refuse(kernel, policy, exchange, asAPIError(outcome));
  if (outcome instanceof APIResult && outcome.error !== undefined) {
    return refuse(kernel, policy, exchange, outcome.error);
  }
  try {
    if (outcome instanceof Response) return rewrap(exchange, kernel.responseHeaders, outcome);
    return respond(kernel, exchange, renderResult(outcome, exchange.envelope()), undefined);
  } catch (error) {
    return refuse(kernel, policy, exchange, asAPIError(error));
  }
}

function refuse(
  kernel: Kernel,
  policy: AnyRoutePolicy,
  exchange: Exchange,
  error: BaseAPIError<string>,
): Awaitable<Response> {
  if (error.statusCode >= 500) {
    kernel.log.error(
      { requestId: exchange.requestId, route: policy.path, code: error.code, err: error },
      "request failed",
    );
  }
  const answer = (): Response => {
    const accept = exchange.get("accept");
    const body = renderError(error, exchange.envelope(), accept);
    return respond(kernel, exchange, body, error.headers);
  };
  if (kernel.audit === undefined || !DENIALS.has(error.code)) return answer();
  return recordDenial(kernel, policy, exchange, error).then(answer);
}

/** Codes by which access was denied. A failed login has its own event and is not one of them. */
const DENIALS: ReadonlySet<string> = new Set([
  "UNAUTHORIZED",
  "TOKEN_EXPIRED",
  "REAUTHENTICATION_REQUIRED",
  "FORBIDDEN",
  "MFA_REQUIRED",
  "CSRF_REJECTED",
]);

async function recordDenial(
  kernel: Kernel,
  policy: AnyRoutePolicy,
  exchange: Exchange,
  error: BaseAPIError<string>,
): Promise<void> {
  const event = {
    type: "access.denied",
    severity: "medium",
    result: "blocked",
    resource: policy.path,
    action: exchange.method,
    metadata: { ...exchange.params, code: error.code, status: error.statusCode },
  } as const;
  try {
    await kernel.audit?.record(event, exchange);
  } catch (cause) {
    const facts = { requestId: exchange.requestId, err: cause };
    kernel.log.error(facts, "a denied access could not be recorded");
  }
}

function respond(
  kernel: Kernel,
  exchange: Exchange,
  { text, status, contentType }: RenderedBody,
  headers: HeaderRecord | undefined,
): Response {
  const parts = { body: text, status, contentType, headers };
  if (exchange.method !== "HEAD") {
    return buildResponse(exchange, kernel.responseHeaders, parts);
  }
  const length = String(new TextEncoder().encode(text).byteLength);
  return buildResponse(exchange, kernel.responseHeaders, {
    ...parts,
    body: null,
    headers: { ...headers, "content-length": length },
  });
}
