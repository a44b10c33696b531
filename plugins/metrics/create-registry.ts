import { Counter, Gauge, Histogram, Registry, type Metric } from "prom-client";
import type { Distribution } from "../../src/domain/distribution";
import { CATALOGUE, type MetricDefinition, type Sample } from "./catalogue";
import type { Snapshot } from "./snapshot";

/** The catalogue as a registry of Prometheus's client, which reads `current()` when it is asked for its text. */
export function createRegistry(current: () => Snapshot): Registry {
  const registry = new Registry();
  for (const metric of CATALOGUE) registry.registerMetric(toMetric(metric, current));
  return registry;
}

function toMetric(metric: MetricDefinition, current: () => Snapshot): Metric {
  const { name, help, labels = [] } = metric;
  const options = { name, help, labelNames: labels, registers: [] };
  switch (metric.kind) {
    case "histogram":
      return new RecordedHistogram(options, () => metric.read(current()));
    case "gauge":
      return new Gauge({
        ...options,
        collect() {
          // A gauge without labels has a value, 0, from its making on; what is not known has none.
          if (labels.length === 0) this.remove();
          else this.reset();
          for (const { value, labels: of = {} } of metric.read(current())) this.set(of, value);
        },
      });
    case "counter":
      return new Counter({
        ...options,
        collect() {
          this.reset();
          for (const { value, labels: of = {} } of metric.read(current())) this.inc(of, value);
        },
      });
  }
}

type Options = {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registers: Registry[];
};

/** A histogram whose buckets were filled by somebody else. */
class RecordedHistogram extends Histogram {
  readonly #options: Options;
  readonly #read: () => readonly Sample<Distribution>[];

  constructor(options: Options, read: () => readonly Sample<Distribution>[]) {
    super(options);
    this.#options = options;
    this.#read = read;
  }

  /** What the registry asks a histogram for (prom-client 15.1.3). */
  getForPromString() {
    const { name, help } = this.#options;
    return { name, help, type: "histogram", values: this.#read().flatMap((sample) => toSeries(name, sample)) };
  }
}

/** Buckets count what is in those below them too; the last one counts everything. */
function toSeries(name: string, { value: distribution, labels = {} }: Sample<Distribution>) {
  let count = 0;
  const buckets = [...distribution.bounds, Infinity].map((end, i) => {
    count += distribution.counts[i] ?? 0;
    const le = end === Infinity ? "+Inf" : String(end);
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: distribution.sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
