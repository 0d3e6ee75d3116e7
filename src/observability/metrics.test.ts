import { describe, expect, test } from "vitest";
import { Metrics } from "./index.ts";

/** The samples of a text, without what is said about them. */
const samplesOf = (metrics: Metrics): string[] =>
  metrics
    .text()
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("#"));

describe("a series", () => {
  test("is the same one in whichever order its labels come", () => {
    const metrics = new Metrics();
    metrics.counter("c_total", "C.", { a: "1", b: "2" }).add();
    metrics.counter("c_total", "C.", { b: "2", a: "1" }).add();
    expect(samplesOf(metrics)).toEqual(['c_total{a="1",b="2"} 2']);
  });

  test("stays one line, whatever its label and its help say", () => {
    const metrics = new Metrics();
    metrics.counter("c_total", "C.\nd_total 1", { a: 'x"} 1\ne_total{a="\\' }).add();
    expect(samplesOf(metrics)).toEqual([String.raw`c_total{a="x\"} 1\ne_total{a=\"\\"} 1`]);
  });

  test("has a label of 200 characters at most", () => {
    const metrics = new Metrics();
    metrics.counter("c_total", "C.", { a: "x".repeat(5_000) }).add();
    expect(samplesOf(metrics)).toEqual([`c_total{a="${"x".repeat(200)}"} 1`]);
  });

  test("is one of 2,000, and `other` stands for the rest", () => {
    const metrics = new Metrics();
    for (let i = 0; i < 2_100; i += 1) metrics.counter("c_total", "C.", { a: `v${i}` }).add();
    const samples = samplesOf(metrics);
    expect(samples).toHaveLength(2_001);
    expect(samples.at(-1)).toBe('c_total{a="other"} 100');
  });
});

describe("a number that is none", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("%d is not counted", (by) => {
    const metrics = new Metrics();
    const counter = metrics.counter("c_total", "C.");
    counter.add(by);
    counter.add(2);
    expect(samplesOf(metrics)).toEqual(["c_total 2"]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("%d is not observed", (value) => {
    const metrics = new Metrics();
    const histogram = metrics.histogram("h_seconds", "H.");
    histogram.observe(value);
    histogram.observe(2);
    expect(samplesOf(metrics).slice(-2)).toEqual(["h_seconds_sum 2", "h_seconds_count 1"]);
  });

  test("of a gauge is written as Prometheus reads it, and a gauge that throws hides no other", () => {
    const metrics = new Metrics();
    metrics.gauge("a", "A.", () => {
      throw new Error("gone");
    });
    metrics.gauge("b", "B.", () => Number.POSITIVE_INFINITY);
    metrics.gauge("c", "C.", () => Number.NEGATIVE_INFINITY);
    metrics.gauge("d", "D.", () => 4);
    expect(samplesOf(metrics)).toEqual(["a NaN", "b +Inf", "c -Inf", "d 4"]);
  });
});

describe("a name is refused", () => {
  const rows: Record<string, (metrics: Metrics) => unknown> = {
    "that is malformed": (metrics) => metrics.counter("a b", "."),
    "of a label that is malformed": (metrics) => metrics.counter("a", ".", { "b-c": "1" }),
    "of a label that Prometheus keeps": (metrics) => metrics.counter("a", ".", { __name__: "1" }),
    "of the label of bounds": (metrics) => metrics.histogram("a", ".", { le: "1" }),
    "of another type": (metrics) => metrics.counter("h", "."),
    "of a histogram's lines": (metrics) => metrics.counter("h_count", "."),
    "whose lines another has": (metrics) => metrics.histogram("c", "."),
  };
  test.each(Object.entries(rows))("%s", (_what, make) => {
    const metrics = new Metrics();
    metrics.histogram("h", "H.");
    metrics.counter("c_sum", "C.");
    expect(() => make(metrics)).toThrow(TypeError);
  });
});
