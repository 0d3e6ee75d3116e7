import parse from "parse-prometheus-text-format";
import { beforeAll, expect, test } from "vitest";
import { type TestApp, testApp } from "../support/app.ts";

interface Family {
  readonly name: string;
  readonly type: string;
  readonly metrics: readonly {
    readonly labels?: Readonly<Record<string, string>>;
    readonly value?: string;
    readonly buckets?: Readonly<Record<string, string>>;
  }[];
}

let app: TestApp;

beforeAll(async () => {
  app = await testApp();
  await app.reset();
});

const scrape = async (headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${app.port}/metrics`, { headers });

const families = async (): Promise<Map<string, Family>> => {
  const text = await (await scrape()).text();
  return new Map((parse(text) as Family[]).map((family) => [family.name, family]));
};

const figure = (family: Family | undefined, labels: Record<string, string>): number =>
  Number(
    family?.metrics.find((metric) =>
      Object.entries(labels).every(([name, value]) => metric.labels?.[name] === value),
    )?.value ?? 0,
  );

test("a Prometheus parser reads them, and they count what happened", async () => {
  const before = await families();
  const { token } = await app.signUp();
  for (let i = 0; i < 5; i += 1) await app.call("GET", "/api/products", { token });
  await app.call("GET", "/api/products");
  await app.call("GET", "/nowhere/to/be/found");
  const after = await families();
  const labels = { method: "GET", route: "/api/products", status: "200" };
  const requests = "bulwark_http_requests_total";
  expect(figure(after.get(requests), labels)).toBe(figure(before.get(requests), labels) + 5);
  expect(after.get(requests)?.type).toBe("COUNTER");
  expect(figure(after.get(requests), { route: "/api/products", status: "401" })).toBeGreaterThan(0);
  expect(figure(after.get(requests), { route: "unknown", status: "404" })).toBeGreaterThan(0);
  const duration = after.get("bulwark_http_request_duration_seconds");
  expect(duration?.type).toBe("HISTOGRAM");
  for (const { buckets } of duration?.metrics ?? []) {
    const values = Object.entries(buckets ?? {})
      .map(
        ([bound, value]) =>
          [bound === "+Inf" ? Number.POSITIVE_INFINITY : Number(bound), value] as const,
      )
      .toSorted(([a], [b]) => a - b)
      .map(([, value]) => Number(value));
    expect(values.length).toBeGreaterThan(5);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  }
  // The parser leaves out what the text says of sums and counts: the last bucket must hold all that was counted.
  const text = await (await scrape()).text();
  const last = /_bucket\{method="GET",route="\/api\/products",le="\+Inf"\} (\d+)/.exec(text)?.[1];
  const all = /_count\{method="GET",route="\/api\/products"\} (\d+)/.exec(text)?.[1];
  expect(Number(last)).toBeGreaterThan(5);
  expect(all).toBe(last);
  expect(after.get("bulwark_database_operation_duration_seconds")?.type).toBe("HISTOGRAM");
  const events = after.get("bulwark_security_events_total");
  expect(figure(events, { type: "auth.login", result: "success" })).toBeGreaterThan(0);
  expect(figure(after.get("process_resident_memory_bytes"), {})).toBeGreaterThan(1e6);
});

test("no client's text becomes a label", async () => {
  await app.call("GET", "/canary-label-7f3a/x?y=canary-label-7f3a");
  expect(await (await scrape()).text()).not.toContain("canary-label-7f3a");
});

test.each([
  ["x-forwarded-for", "127.0.0.1"],
  ["forwarded", "for=127.0.0.1"],
  ["x-real-ip", "127.0.0.1"],
  ["via", "1.1 proxy"],
  ["x-forwarded-proto", "https"],
  ["x-forwarded-port", "443"],
  ["x-original-forwarded-for", "127.0.0.1"],
  ["cf-connecting-ip", "127.0.0.1"],
  ["true-client-ip", "127.0.0.1"],
  ["x-client-ip", "127.0.0.1"],
  ["authorization", "Bearer something"],
])("with %s there is no such path", async (name, value) => {
  const response = await scrape({ [name]: value });
  expect(response.status).toBe(404);
  expect(await response.text()).not.toContain("bulwark_http");
});
