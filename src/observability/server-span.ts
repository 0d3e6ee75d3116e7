import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from "@opentelemetry/api";
import { type Awaitable, isPromise, type RequestTracing } from "../core/index.ts";
import { isTracing, tracer } from "./tracer.ts";

type ReadHeader = (name: string) => string | null;

/** Only what a propagator asks for by name is read: a list of all headers is made for nobody. */
const headers: TextMapGetter<ReadHeader> = {
  keys: () => [],
  get: (read, name) => read(name) ?? undefined,
};

/**
 * serverTracing makes each request of a route a span of kind SERVER, named by its method and route, a child of the one that the
 * request's `traceparent` names (W3C Trace Context, by the propagator that the SDK registered). The address, the query and
 * the headers of a request are not in it.
 */
export function serverTracing(method: string, route: string): RequestTracing {
  // Where no route is, `*`, neither its name nor the method is anything but the client's text (semantic conventions for HTTP).
  const isRoute = method !== "*";
  const attributes = isRoute
    ? { "http.request.method": method, "http.route": route }
    : { "http.request.method": "_OTHER" };
  const name = isRoute ? `${method} ${route}` : "HTTP";
  return {
    get isOn() {
      return isTracing();
    },
    run(read, work) {
      const parent: Context = propagation.extract(context.active(), read, headers);
      const span = tracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
      return context.with(trace.setSpan(parent, span), () => ended(span, work));
    },
  };
}

function ended(span: Span, work: () => Awaitable<Response>): Awaitable<Response> {
  const end = (response: Response): Response => {
    span.setAttribute("http.response.status_code", response.status);
    if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    return response;
  };
  const response = work();
  return isPromise(response) ? response.then(end) : end(response);
}
