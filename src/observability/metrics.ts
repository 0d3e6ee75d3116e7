/** Labels of a series; names and values are few, and never a client's text. */
export type Labels = Readonly<Record<string, string>>;

/** Series of one metric. `add` and `observe` cost no look-up: take the series once and keep it. */
export interface Counter {
  /** add counts up; what is no finite number, or below 0, is not counted. */
  add(by?: number): void;
}

export interface Histogram {
  /** observe counts a value in; what is no finite number is not counted. */
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

/** Characters of a label's value; the rest is cut. */
const MAX_LABEL = 200;

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Prometheus keeps `__` for itself, and writes a histogram's bounds as `le`. */
const LABEL = /^(?!__|le$)[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Metrics keeps counters, gauges and histograms, and writes them as Prometheus text (exposition format 0.0.4).
 * Throws a TypeError only if a name or a label's is malformed, or a name stands for something else already.
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #series = new Map<string, Map<string, unknown>>();
  /** Names of all lines, such as a histogram's `_count`, with the metric that writes them. */
  readonly #owners = new Map<string, string>();

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const series = this.#seriesOf(name, help, "counter", labels, () => ({ value: 0 }));
    return {
      add: (by = 1) => {
        if (by >= 0 && by < Infinity) series.value += by;
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
        if (!Number.isFinite(value)) return;
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
    if (!NAME.test(name) || !Object.keys(labels).every((label) => LABEL.test(label))) {
      throw new TypeError(`metric ${JSON.stringify(name)}: the name or a label is malformed`);
    }
    const known = this.#metrics.get(name);
    if (known !== undefined && known.type !== type) {
      throw new TypeError(`metric ${name}: is a ${known.type} already, not a ${type}`);
    }
    let series = this.#series.get(name) as Map<string, S> | undefined;
    if (series === undefined) {
      this.#own(name, type);
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

  /** Two metrics that write lines of one name would spoil the whole text for its reader. */
  #own(name: string, type: Metric["type"]): void {
    const endings = type === "histogram" ? ["", "_bucket", "_sum", "_count"] : [""];
    const names = endings.map((ending) => name + ending);
    const taken = names.find((each) => this.#owners.has(each));
    if (taken !== undefined) {
      throw new TypeError(
        `metric ${name}: ${taken} is written by ${this.#owners.get(taken)} already`,
      );
    }
    for (const each of names) this.#owners.set(each, name);
  }
}

/** Sorted, since the same labels in another order are the same series. */
const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeLabel(String(value).slice(0, MAX_LABEL))}"`)
    .join(",");

/** Numbers as Prometheus reads them; a gauge that cannot be read is NaN, and the others are told all the same. */
function readGauge({ read }: { readonly read: () => number }): string {
  try {
    const value = Number(read());
    return Number.isFinite(value)
      ? String(value)
      : String(value).replace("Infinity", "Inf").replace(/^Inf/, "+Inf");
  } catch {
    return "NaN";
  }
}

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
    else if (type === "gauge") yield `${name}${braces} ${readGauge(one as { read: () => number })}`;
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
