import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BaseAPIHandler, bareKernel } from "../core/index.ts";
import { BaseAPIService, createObservability } from "./index.ts";
import { serverTracing } from "./server-span.ts";

const exporter = new InMemorySpanExporter();
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

class Orders extends BaseAPIService {
  constructor() {
    super({ observability: createObservability({ record: async () => {} }) });
  }
  place(): Promise<string> {
    return this.executeWithTracing("place", {}, async () => "o1");
  }
}
const orders = new Orders();

class Handlers extends BaseAPIHandler {
  static override readonly kernel = {
    ...bareKernel,
    trace: serverTracing,
  };
}
const open = { requireAuth: false } as const;
const routes = {
  sync: Handlers.GET(() => 1, { path: "/sync", ...open }),
  async: Handlers.GET(() => orders.place(), { path: "/orders/:id", ...open }),
  fault: Handlers.GET(
    () => {
      throw new Error("secret");
    },
    { path: "/fault", ...open },
  ),
};
const ask = (route: keyof typeof routes, headers: Record<string, string> = {}): Promise<Response> =>
  routes[route](
    new Request(`http://h${route === "async" ? "/orders/7?token=secret" : `/${route}`}`, {
      headers,
    }),
  );

test("without an SDK a request has no span, and is answered", async () => {
  expect(serverTracing("GET", "/").isOn).toBe(false);
  expect((await ask("sync")).status).toBe(200);
  expect(exporter.getFinishedSpans()).toEqual([]);
});

describe("with an SDK", () => {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
  });
  afterAll(() => {
    trace.disable();
    propagation.disable();
    context.disable();
  });
  beforeEach(() => exporter.reset());

  test("a request is a child of what its traceparent names, and the parent of its services' spans", async () => {
    await ask("async", { traceparent: `00-${TRACE}-${PARENT}-01` });
    const [inner, server] = exporter.getFinishedSpans();
    expect(server).toMatchObject({
      name: "GET /orders/:id",
      kind: SpanKind.SERVER,
      attributes: {
        "http.request.method": "GET",
        "http.route": "/orders/:id",
        "http.response.status_code": 200,
      },
    });
    expect(server?.spanContext().traceId).toBe(TRACE);
    expect(server?.parentSpanContext?.spanId).toBe(PARENT);
    expect(inner?.name).toBe("Orders.place");
    expect(inner?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
    expect(JSON.stringify(server?.attributes)).not.toContain("secret");
  });

  test.each([
    ["none", undefined],
    ["a malformed one", "00-zz-1-01"],
    ["one of zeros", `00-${"0".repeat(32)}-${PARENT}-01`],
    ["a long one", `00-${TRACE}-${PARENT}-01${"x".repeat(5_000)}`],
  ])("%s begins a trace of its own", async (_what, traceparent) => {
    const { status } = await ask("sync", traceparent === undefined ? {} : { traceparent });
    expect(status).toBe(200);
    const [server] = exporter.getFinishedSpans();
    expect(server?.parentSpanContext).toBeUndefined();
    expect(server?.spanContext().traceId).not.toBe(TRACE);
  });

  test("what is no route has neither a route nor a method of the client's", async () => {
    await serverTracing("*", "unknown").run(
      () => null,
      () => new Response(null, { status: 404 }),
    );
    const [server] = exporter.getFinishedSpans();
    expect(server?.name).toBe("HTTP");
    expect(server?.attributes).toEqual({
      "http.request.method": "_OTHER",
      "http.response.status_code": 404,
    });
  });

  test("a fault marks the span, and its message is not in it", async () => {
    expect((await ask("fault")).status).toBe(500);
    const [server] = exporter.getFinishedSpans();
    expect(server?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(server?.attributes["http.response.status_code"]).toBe(500);
    expect(JSON.stringify([server?.attributes, server?.events])).not.toContain("secret");
  });
});
