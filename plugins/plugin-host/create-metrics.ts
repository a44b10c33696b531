import * as prometheus from "prom-client";
import type { MetricLabels, MetricOptions, PluginMetrics } from "../../src/contracts/plugin-metrics";

/** Prometheus allows capitals and colons too; these are its recommendation, and leave room for our prefix. */
const NAME = /^[a-z][a-z0-9_]{0,80}$/;
const LONGEST_VALUE = 100;
const MOST_VALUES = 1_000;
/** For all combinations of a metric's labels. */
const MOST_SERIES = 10_000;
/** What a label is beyond its bounds. */
const OTHER = "other";

type Values = Readonly<Record<string, string>>;

/**
 * The metrics of one plugin, in a registry of Prometheus's client.
 *
 * @param plugin its name in the configuration.
 */
export function createMetrics(plugin: string, registry: prometheus.Registry): PluginMetrics {
  const prefix = `sayna_sip_plugin_${plugin.replaceAll("-", "_")}_`;

  function describe({ name, help, labels = {} }: MetricOptions<MetricLabels>) {
    if (!NAME.test(name))
      throw new TypeError(`a metric's name has lower-case letters, digits and _, not ${JSON.stringify(name)}`);
    const bounded = boundLabels(name, labels);
    // The registry refuses a name that is there already.
    return { bounded, options: { name: prefix + name, help, labelNames: Object.keys(labels), registers: [registry] } };
  }

  // The contract's types say which labels each one takes; here they are all alike.
  return {
    counter(options) {
      const { bounded, options: own } = describe(options);
      if (!options.name.endsWith("_total")) throw new TypeError(`a counter's name ends in _total: ${options.name}`);
      const counter = new prometheus.Counter(own);
      return { add: (labels?: Values) => counter.inc(bounded(labels)) };
    },
    gauge(options) {
      const { bounded, options: own } = describe(options);
      const gauge = new prometheus.Gauge(own);
      return { set: (value: number, labels?: Values) => Number.isFinite(value) && gauge.set(bounded(labels), value) };
    },
    histogram(options) {
      const { bounded, options: own } = describe(options);
      const { buckets } = options;
      if (buckets.length === 0 || buckets.some((end, i) => !(end > (buckets[i - 1] ?? -Infinity)))) {
        throw new TypeError(`the buckets of ${options.name} are numbers in ascending order`);
      }
      const histogram = new prometheus.Histogram({ ...own, buckets: [...buckets] });
      return {
        // Fails open, here and above, because a figure that is none is not worth a call.
        observe: (value: number, labels?: Values) =>
          Number.isFinite(value) && histogram.observe(bounded(labels), value),
      };
    },
  };
}

/** Gives each label one of the values that it may have. */
function boundLabels(metric: string, labels: MetricLabels): (given?: Values) => Record<string, string> {
  const bounds = Object.entries(labels).map(([name, bound]) => {
    if (!NAME.test(name))
      throw new TypeError(`a label's name has lower-case letters, digits and _, not ${JSON.stringify(name)}`);
    const listed = "max" in bound ? undefined : bound;
    const most = "max" in bound ? bound.max : bound.length;
    if (!Number.isInteger(most) || most < 1 || most > MOST_VALUES) {
      throw new TypeError(`the label ${name} of ${metric} has from 1 to ${MOST_VALUES} values`);
    }
    return { name, most, known: new Set(listed), fixed: listed !== undefined };
  });
  const series = bounds.reduce((product, { most }) => product * (most + 1), 1);
  if (series > MOST_SERIES) {
    throw new TypeError(`the labels of ${metric} make ${series} combinations: ${MOST_SERIES} at most are kept`);
  }
  return (given = {}) =>
    Object.fromEntries(
      bounds.map(({ name, most, known, fixed }) => {
        const value = (given[name] ?? OTHER).slice(0, LONGEST_VALUE);
        if (!fixed && known.size < most) known.add(value);
        return [name, known.has(value) ? value : OTHER];
      }),
    );
}
