/** Labels of a series; names and values are few, and never a client's text. */
export type Labels = Readonly<Record<string, string>>;

/** Series of one metric. `add` and `observe` cost no look-up: take the series once and keep it. */
export interface Counter {
  add(by?: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  lines(): Iterable<string>;
}

/** Seconds; the default bounds of a histogram's buckets. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Series that one metric may have; what comes after them is counted in one series whose labels say `other`. */
const MAX_SERIES = 2_000;

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Metrics keeps counters, gauges and histograms, and writes them as Prometheus text (exposition format 0.0.4).
 * Throws a TypeError only if a name is malformed or stands for another type already.
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #series = new Map<string, Map<string, unknown>>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const series = this.#seriesOf(name, help, "counter", labels, () => ({ value: 0 }));
    return {
      add: (by = 1) => {
        series.value += by;
      },
    };
  }

  histogram(name: string, help: string, labels: Labels = {}): Histogram {
    const series = this.#seriesOf(name, help, "histogram", labels, () => ({
      counts: new Float64Array(BOUNDS.length + 1),
      sum: 0,
    }));
    return {
      observe: (value) => {
        let index = 0;
        while (index < BOUNDS.length && value > (BOUNDS[index] as number)) index += 1;
        series.counts[index] = (series.counts[index] ?? 0) + 1;
        series.sum += value;
      },
    };
  }

  /** gauge registers a value that is read when the metrics are. */
  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    const series = this.#seriesOf(name, help, "gauge", labels, () => ({ read }));
    series.read = read;
  }

  /** text is the exposition of all metrics. */
  text(): string {
    const lines: string[] = [];
    for (const metric of this.#metrics.values()) {
      lines.push(`# HELP ${metric.name} ${metric.help.replaceAll(/[\\\n]/g, " ")}`);
      lines.push(`# TYPE ${metric.name} ${metric.type}`, ...metric.lines());
    }
    return `${lines.join("\n")}\n`;
  }

  #seriesOf<S>(name: string, help: string, type: Metric["type"], labels: Labels, make: () => S): S {
    if (!NAME.test(name) || !Object.keys(labels).every((label) => NAME.test(label))) {
      throw new TypeError(`metric ${JSON.stringify(name)}: the name or a label is malformed`);
    }
    const known = this.#metrics.get(name);
    if (known !== undefined && known.type !== type) {
      throw new TypeError(`metric ${name}: is a ${known.type} already, not a ${type}`);
    }
    let series = this.#series.get(name) as Map<string, S> | undefined;
    if (series === undefined) {
      const all = new Map<string, S>();
      series = all;
      this.#series.set(name, all);
      this.#metrics.set(name, { name, help, type, lines: () => linesOf(name, type, all) });
    }
    const isFull = series.size >= MAX_SERIES;
    let key = labelText(labels);
    if (isFull && !series.has(key)) {
      key = labelText(Object.fromEntries(Object.keys(labels).map((label) => [label, "other"])));
    }
    let found = series.get(key);
    if (found === undefined) {
      found = make();
      series.set(key, found);
    }
    return found;
  }
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function* linesOf<S>(
  name: string,
  type: Metric["type"],
  series: ReadonlyMap<string, S>,
): Iterable<string> {
  for (const [labels, one] of series) {
    const braces = labels === "" ? "" : `{${labels}}`;
    if (type === "counter") yield `${name}${braces} ${(one as { value: number }).value}`;
    else if (type === "gauge") yield `${name}${braces} ${(one as { read: () => number }).read()}`;
    else yield* histogramLines(name, labels, one as { counts: Float64Array; sum: number });
  }
}

function* histogramLines(
  name: string,
  labels: string,
  { counts, sum }: { counts: Float64Array; sum: number },
): Iterable<string> {
  const before = labels === "" ? "" : `${labels},`;
  let total = 0;
  for (const [index, bound] of [...BOUNDS, "+Inf"].entries()) {
    total += counts[index] ?? 0;
    yield `${name}_bucket{${before}le="${bound}"} ${total}`;
  }
  const braces = labels === "" ? "" : `{${labels}}`;
  yield `${name}_sum${braces} ${sum}`;
  yield `${name}_count${braces} ${total}`;
}
