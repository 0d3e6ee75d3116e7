import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AuditSink, ConflictError, DatabaseError, UnavailableError } from "../core/index.ts";
import { BaseAPIService, createObservability } from "./index.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const recorded: Parameters<AuditSink["record"]>[] = [];
const observability = createObservability({
  record: async (...args) => void recorded.push(args),
});

class Orders extends BaseAPIService {
  constructor() {
    super({ observability });
  }
  place(): Promise<string> {
    return this.executeWithTracing("place", { "order.lines": 2 }, async (span) => {
      span.setAttribute("order.id", "o1");
      return this.executeDatabase("insert", async () => "o1");
    });
  }
  fail(error: Error): Promise<string> {
    return this.executeDatabase("fail", () => Promise.reject(error));
  }
  leak(): Promise<string> {
    return this.executeWithTracing("leak", { password: "hunter2" }, async (span) => {
      span
        .setAttribute("token", "hunter2")
        .setAttributes({ url: "postgres://app:hunter2@db", "order.lines": 2 })
        .addEvent("sent ?token=hunter2", { clientSecret: "hunter2", kept: "yes" })
        .addEvent("timed", new Date(0))
        .addLink({ context: span.spanContext(), attributes: { cookie: "hunter2" } })
        .setStatus({ code: 2, message: '{"password":"hunter2"}' })
        .updateName("Orders.leak?token=hunter2");
      span.recordException(new Error("password=hunter2"));
      span.recordException("password=hunter2");
      return "o1";
    });
  }
  tell(): Promise<void> {
    return this.recordEvent("order.placed", "An order was placed", { lines: 2 });
  }
}

const orders = new Orders();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
});

afterAll(() => {
  trace.disable();
  context.disable();
});

beforeEach(() => {
  exporter.reset();
  recorded.length = 0;
});

describe("spans", () => {
  test("nest, carry attributes, and are the active one while their work runs", async () => {
    await orders.place();
    const [inner, outer] = exporter.getFinishedSpans();
    expect(outer?.name).toBe("Orders.place");
    expect(outer?.attributes).toMatchObject({ "order.lines": 2, "order.id": "o1" });
    expect(inner?.name).toBe("Orders.insert");
    expect(inner?.attributes["db.system.name"]).toBe("postgresql");
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  test("of parallel work each keeps its own parent", async () => {
    await Promise.all(Array.from({ length: 50 }, () => orders.place()));
    const spans = exporter.getFinishedSpans();
    const outer = new Set(
      spans.filter(({ name }) => name === "Orders.place").map((span) => span.spanContext().spanId),
    );
    const parents = spans
      .filter(({ name }) => name === "Orders.insert")
      .map((span) => span.parentSpanContext?.spanId);
    expect(outer.size).toBe(50);
    expect(new Set(parents)).toEqual(outer);
  });

  test("hide the secrets that their work hands them", async () => {
    await orders.leak();
    const [span] = exporter.getFinishedSpans();
    const { name, attributes, events, links, status } = span ?? {};
    expect(JSON.stringify({ name, attributes, events, links, status })).not.toContain("hunter2");
    expect(attributes).toMatchObject({ "order.lines": 2, url: "postgres://app:[redacted]@db" });
    expect(events?.map((event) => event.name)).toEqual([
      "sent ?token=[redacted]",
      "timed",
      "exception",
      "exception",
    ]);
    expect(events?.[0]?.attributes).toEqual({ clientSecret: "[redacted]", kept: "yes" });
    expect(links).toHaveLength(1);
  });

  test("end, marked, when their work fails, and say nothing of its message", async () => {
    await expect(orders.fail(new Error("secret text"))).rejects.toBeInstanceOf(DatabaseError);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: 2 });
    expect(JSON.stringify(span?.attributes)).not.toContain("secret text");
    expect(span?.events).toEqual([]);
  });
});

describe("executeDatabase", () => {
  const withCode = (code: string): Error => Object.assign(new Error("x"), { code });

  test.each([
    ["a refusal", new ConflictError(), ConflictError],
    ["a constraint", withCode("23514"), DatabaseError],
    ["no connection", withCode("ECONNREFUSED"), UnavailableError],
    ["a shutdown", withCode("57P01"), UnavailableError],
    ["a time-out", withCode("57014"), UnavailableError],
    ["too many connections", withCode("53300"), UnavailableError],
    ["anything else", new Error("?"), DatabaseError],
  ])("%s", async (_name, error, expected) => {
    await expect(orders.fail(error)).rejects.toBeInstanceOf(expected);
  });

  test("the parameters of a statement do not come along", async () => {
    const cause = Object.assign(new Error("duplicate key"), { code: "23505", table: "users" });
    const wrapped = Object.assign(new Error("Failed query: insert ... params: hunter2"), {
      params: ["hunter2"],
      cause,
    });
    const thrown = await orders.fail(wrapped).catch((error: unknown) => error as Error);
    const text = `${String(thrown)} ${JSON.stringify(thrown)} ${JSON.stringify((thrown as Error).cause)}`;
    expect(text).toContain("23505");
    expect(text).not.toContain("hunter2");
  });
});

test("an event ends in the audit log", async () => {
  await orders.tell();
  expect(recorded[0]?.[0]).toMatchObject({
    type: "order.placed",
    severity: "low",
    metadata: { message: "An order was placed", lines: 2 },
  });
});
