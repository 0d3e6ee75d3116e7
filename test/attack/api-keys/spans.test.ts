import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { UnauthorizedError } from "../../../src/core/index.ts";
import { BaseAPIService } from "../../../src/observability/index.ts";
import { testApp } from "../../support/app.ts";
import { makeKey, statusOf } from "../../system/api-keys/support.ts";

const app = await testApp();
const { bulwark, call } = app;
const exporter = new InMemorySpanExporter();

/** A service that is careless with keys. */
class Imports extends BaseAPIService {
  run(key: string): Promise<never> {
    const attributes = { "import.source": `from ${key}`, "x-api-key": key, "import.keys": [key] };
    return this.executeWithTracing("run", attributes, () =>
      this.executeDatabase("insert", () =>
        Promise.reject(Object.assign(new Error(`no ${key}`), { name: `Refused ${key}` })),
      ),
    );
  }
}

let key = "";
const statuses: number[] = [];

// A key goes wherever one can be put into a request.
beforeAll(async () => {
  await app.reset();
  const account = await app.signUp();
  const made = await makeKey(app, account);
  key = made.key;
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  const walk = async (...args: Parameters<typeof call>): Promise<void> => {
    statuses.push((await call(...args)).status);
  };
  const asKey = { headers: { "x-api-key": key } };
  const { token } = account;
  await walk("GET", "/api/products", asKey);
  await walk("GET", "/api/auth/me", asKey);
  await walk("GET", "/api/products", { token: key });
  await walk("GET", `/api/products?search=${key}&api_key=${key}`, { token });
  await walk("GET", `/api/products/${key}`, { token });
  await walk("GET", `/api/api-keys/${key}`, { token });
  await walk("GET", `/api/${key}/nowhere`, {});
  await walk("PATCH", `/api/api-keys/${made.id}`, { token, body: { name: key } });
  await walk("POST", "/api/auth/login", { body: { email: key, password: key } });
  await walk("GET", "/api/products", {
    token,
    headers: { "user-agent": key, "x-request-id": key, baggage: `key=${key}` },
  });
  const failing = vi
    .spyOn(bulwark.apiKeys, "list")
    .mockRejectedValueOnce(new Error(`failed for ${key}`));
  await walk("GET", "/api/api-keys", { token });
  failing.mockRestore();
  statuses.push(await statusOf(bulwark, key));
  await bulwark.apiKeys.validateAPIKey(key, { address: "192.0.2.1" });
  const wrong = `${key.slice(0, -8)}AAAAAAAA`;
  await expect(bulwark.apiKeys.validateAPIKey(wrong, {})).rejects.toThrow(UnauthorizedError);
  await expect(new Imports().run(key)).rejects.toThrow();
});

afterAll(() => {
  trace.disable();
  propagation.disable();
  context.disable();
});

/** All that an exporter would send of a span. */
const told = ({ name, attributes, events, links, status, resource }: ReadableSpan): string =>
  JSON.stringify([name, attributes, events, links, status, resource.attributes]);

test("the walk made spans of what succeeded, was refused and failed", () => {
  for (const status of [200, 400, 401, 404, 500]) expect(statuses).toContain(status);
  const names = exporter.getFinishedSpans().map(({ name }) => name);
  for (const name of ["GET /api/products", "GET /api/products/:id", "GET /api/api-keys"]) {
    expect(names).toContain(name);
  }
  expect(names).toContain("Imports.run");
  expect(names.length).toBeGreaterThanOrEqual(10);
});

test("no name, attribute, event, link or status of a span holds the key", () => {
  const spans = exporter.getFinishedSpans().map(told);
  const secret = key.slice(-38, -6);
  expect(secret).toMatch(/^[0-9A-Za-z]{32}$/);
  for (const span of spans) expect(span).not.toContain(secret);
  expect(spans.join("\n")).toContain("[redacted]");
});
