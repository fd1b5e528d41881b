/** Label values of one sample, in the order of the family's label names. */
type LabelValues = readonly string[];

/** A family of samples that can write itself down. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  lines(): Iterable<string>;
}

/** Only grows; one number for each combination of label values that has occurred. */
export class Counter implements MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type = "counter";
  readonly #labels: readonly string[];
  readonly #values = new Map<string, { readonly labels: LabelValues; value: number }>();

  constructor(name: string, help: string, ...labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
    if (labels.length === 0) {
      this.add(0); // a rate needs a first sample
    }
  }

  add(amount: number, ...labels: LabelValues): void {
    const key = labels.join("\0");
    const sample = this.#values.get(key) ?? { labels, value: 0 };
    sample.value += amount;
    this.#values.set(key, sample);
  }

  *lines(): Iterable<string> {
    for (const { labels, value } of this.#values.values()) {
      yield sampleLine(this.name, this.#labels, labels, value);
    }
  }
}

/** How many observations were at most so large, for each bound. */
export class Histogram implements MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` grow; what is beyond the last is counted under `+Inf`. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound);
    const index = found === -1 ? this.#bounds.length : found;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  *lines(): Iterable<string> {
    let cumulative = 0;
    for (const [index, count] of this.#counts.entries()) {
      cumulative += count;
      const bound = this.#bounds[index];
      const text = bound === undefined ? "+Inf" : String(bound);
      yield sampleLine(`${this.name}_bucket`, ["le"], [text], cumulative);
    }
    yield sampleLine(`${this.name}_sum`, [], [], this.#sum);
    yield sampleLine(`${this.name}_count`, [], [], cumulative);
  }
}

/** A number as it is at the moment of the scrape, or several under one label. */
export function measured(
  type: "counter" | "gauge",
  name: string,
  help: string,
  value: number | { readonly label: string; readonly values: Readonly<Record<string, number>> },
): MetricFamily {
  const lines =
    typeof value === "number"
      ? [sampleLine(name, [], [], value)]
      : Object.entries(value.values).map(([text, sample]) =>
          sampleLine(name, [value.label], [text], sample),
        );
  return { name, help, type, lines: () => lines };
}

/**
 * Writes families in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
export function renderMetrics(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const family of families) {
    const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    text += `# HELP ${family.name} ${help}\n# TYPE ${family.name} ${family.type}\n`;
    text += [...family.lines()].join("");
  }
  return text;
}

function sampleLine(
  name: string,
  labels: readonly string[],
  values: LabelValues,
  value: number,
): string {
  const pairs = labels.map((label, index) => `${label}="${escapeLabel(values[index] ?? "")}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
